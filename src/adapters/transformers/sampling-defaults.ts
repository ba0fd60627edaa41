/** How a model's makers would sample, from its `generation_config.json`. */
export interface SamplingDefaults {
  /** 0 to 2; 0 (greedy) unless the model asks to be sampled. */
  readonly temperature: number;
  /** 0 to 1, 1 for off. */
  readonly topP: number;
  /** 0 for off. */
  readonly topK: number;
}

/** Reads the defaults as the library's own `generate` would: greedy unless `do_sample`, and then top-k 50 unless said otherwise. */
export function samplingDefaults(generationConfig: Readonly<Record<string, unknown>>): SamplingDefaults {
  if (generationConfig['do_sample'] !== true) return { temperature: 0, topP: 1, topK: 0 };
  return {
    temperature: Math.min(2, Math.max(0, numberOr(generationConfig['temperature'], 1))),
    topP: Math.min(1, Math.max(0, numberOr(generationConfig['top_p'], 1))),
    topK: Math.max(0, Math.trunc(numberOr(generationConfig['top_k'], 50))),
  };
}

function numberOr(value: unknown, fallback: number): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : fallback;
}

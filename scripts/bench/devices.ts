import { defaultModel } from '../../src/cli/compose/defaults.ts';
import type { Device } from '../../src/adapters/transformers/devices.ts';
import {
  createTransformersInference,
  type TransformersInference,
} from '../../src/adapters/transformers/transformers-inference.ts';
import { errorCode, PouwError } from '../../src/core/errors.ts';
import { keccak256 } from '../../src/core/hash.ts';
import type { Figure, FigureOptions, FigureResult } from './figure.ts';
import { median } from './interleave.ts';

/** What a graphics card changes: how fast answers come, and whether they stay the same token for token. */
export const devices: Figure = {
  name: 'devices',
  title: `tokens per second of ${defaultModel} by device, and whether its tokens are the processor's`,
  run: measure,
};

const prompts = [
  'Define water.',
  'What is a teacher?',
  'Tell me a story about a bear.',
  'Tell me a story about a king.',
];
const temperatures = [0, 0.8] as const;

interface Answers {
  readonly tokens: readonly string[];
  readonly perSecond: number;
}

async function measure({ quick, onStep }: FigureOptions): Promise<FigureResult> {
  const asked = prompts.slice(0, quick ? 1 : prompts.length);
  onStep('cpu');
  const cpu = await answersOn('cpu', asked);
  if (typeof cpu === 'string') throw new Error(cpu);
  const rows: FigureResult['rows'][number][] = [];
  const notes: string[] = [];
  for (const device of ['cuda', 'webgpu'] as const) {
    onStep(device);
    const found = await answersOn(device, asked);
    if (typeof found === 'string') {
      notes.push(`${device} does not work here: ${found}`);
      continue;
    }
    const same = found.tokens.filter((tokens, index) => tokens === cpu.tokens[index]).length;
    const speed = { ours: found.perSecond, raw: cpu.perSecond, ratio: found.perSecond / cpu.perSecond };
    rows.push({ what: `one answer at a time, ${device}`, unit: 'tokens/s', against: 'the processor', ...speed });
    const share = { ours: same, raw: cpu.tokens.length, ratio: same / cpu.tokens.length };
    rows.push({ what: `answers that are the same, ${device}`, unit: 'answers', against: 'all of them', ...share });
  }
  rows.push({
    what: 'one answer at a time, cpu',
    unit: 'tokens/s',
    against: '',
    ours: cpu.perSecond,
    raw: null,
    ratio: null,
  });
  return { rows, notes };
}

/** The answers a device gives; where it does not work, the reason. */
async function answersOn(device: Device, asked: readonly string[]): Promise<Answers | string> {
  let inference: TransformersInference | undefined;
  try {
    inference = await createTransformersInference({ device, workers: 1 });
    await inference.load(defaultModel);
    await answer(inference, 'What is a dog?', 0);
    const tokens: string[] = [];
    const rates: number[] = [];
    for (const prompt of asked) {
      for (const temperature of temperatures) {
        const startedAt = performance.now();
        const ids = await answer(inference, prompt, temperature);
        rates.push((ids.length * 1_000) / (performance.now() - startedAt));
        tokens.push(ids.join(' '));
      }
    }
    return { tokens, perSecond: median(rates) };
  } catch (error) {
    if (errorCode(error) !== 'device_unavailable') throw error;
    return error instanceof PouwError ? (error.why ?? error.message) : String(error);
  } finally {
    await inference?.close();
  }
}

async function answer(
  inference: TransformersInference,
  content: string,
  temperature: number,
): Promise<readonly number[]> {
  const sampling = { temperature, topP: 1, topK: 0, seed: keccak256(`pouw/bench/devices/${content}`) };
  const prompt = { messages: [{ role: 'user', content }] } as const;
  for await (const event of inference.generate({
    model: defaultModel,
    prompt,
    maxTokens: 128,
    sampling,
    timeoutMs: 60_000,
  })) {
    if (event.type === 'done') return event.tokens;
  }
  throw new Error('the model ended without a result');
}

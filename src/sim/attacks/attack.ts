import type { Inference } from '../../ports/inference.ts';

/** How a dishonest miner differs from an honest one: in the engine behind it, nowhere else. */
export interface Attack {
  /** What `--attack NAME@COUNT` says. */
  readonly name: string;
  /** One sentence for people. */
  readonly summary: string;
  /** The engine the dishonest miner runs. */
  engine(honest: Inference): Inference;
}

/** The port with some methods replaced; the rest is the honest engine's own. */
export function engineWith(honest: Inference, replaced: Partial<Inference>): Inference {
  return {
    load: (model, onProgress) => honest.load(model, onProgress),
    models: () => honest.models(),
    countTokens: (model, prompt) => honest.countTokens(model, prompt),
    generate: (request) => honest.generate(request),
    embed: (model, texts, signal) => honest.embed(model, texts, signal),
    decode: (model, lists) => honest.decode(model, lists),
    close: () => honest.close(),
    ...replaced,
  };
}

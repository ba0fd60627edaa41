import { hexToBytes, keccakWords } from '../../core/hash.ts';
import type { GenerateEvent, GenerateRequest, Inference } from '../../ports/inference.ts';
import { type Attack, engineWith } from './attack.ts';

const words = [
  'amber',
  'brisk',
  'copper',
  'dune',
  'ember',
  'fjord',
  'gravel',
  'harbor',
  'ivory',
  'jungle',
  'kettle',
  'lantern',
  'meadow',
  'nickel',
  'orbit',
  'pepper',
];
const tokensMost = 24;

/** Answers with random words that cost no inference, counted and committed like a real answer. */
export const random: Attack = {
  name: 'random',
  summary: 'answers with random text instead of running the model',
  engine: (honest) => engineWith(honest, { generate: (request) => babble(honest, request) }),
};

async function* babble(honest: Inference, request: GenerateRequest): AsyncGenerator<GenerateEvent> {
  const promptTokens = await honest.countTokens(request.model, request.prompt);
  const prefix = [...(request.prefix ?? [])];
  const count = Math.min(request.maxTokens - prefix.length, tokensMost);
  const tokens = prefix;
  for (let made = 0; made < count; made += 1) {
    request.signal?.throwIfAborted();
    // Drawn from the miner's own seed: two liars do not say the same.
    const draw = hexToBytes(keccakWords([request.sampling.seed, made]));
    const word = words[(draw[0] ?? 0) % words.length] ?? 'pebble';
    const id = 4 + ((((draw[1] ?? 0) << 8) | (draw[2] ?? 0)) % 2_000);
    const index = tokens.length;
    tokens.push(id);
    yield { type: 'token', index, id, text: `${made === 0 ? '' : ' '}${word}` };
  }
  yield {
    type: 'done',
    prefixText: '',
    text: '.',
    finishReason: 'stop',
    tokens,
    promptTokens,
    outputTokens: tokens.length,
  };
}

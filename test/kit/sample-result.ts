import type { Address } from '../../src/core/ids.ts';
import { task } from '../actors/chain-facts.ts';

/** A result of the sample task as content has it, of two tokens whatever its text. */
export function sampleResult(miner: Address, text: string) {
  const made = {
    text,
    tokens: [1, 2],
    finishReason: 'stop',
    promptTokens: 3,
    outputTokens: 2,
    prefixTokens: 0,
  } as const;
  return { kind: 'result', v: 1, task, miner, attempt: 0, model: 'm', ...made } as const;
}

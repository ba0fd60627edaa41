import fc from 'fast-check';
import type { SessionCommand } from '../../actors/session/decide.ts';
import { contentCid } from '../../src/core/cid.ts';
import type { Hex } from '../../src/core/hash.ts';
import type { TaskId } from '../../src/core/ids.ts';
import { wei } from '../../src/core/wei.ts';
import { bytes32, client, place, router } from './chain-facts.ts';

const pick = <T>(...values: readonly T[]) => fc.constantFrom(...values);

/** Steps that come from the chain, after tasks that may be there, over or unknown, and whole plans. */
export function anyStepCommand(requestIds: readonly Hex[], tasks: readonly TaskId[]): fc.Arbitrary<SessionCommand> {
  const named = (...places: number[]) =>
    places.flatMap((index) => tasks.slice(index, index + 1).map((task) => ({ name: `s${index}`, task })));
  const planned = requestIds.map((requestId, index) => {
    const prompt = contentCid('a');
    return { name: `s${index}`, requestId, prompt, promptTokens: 4, maxTokens: 16, maxPriceWei: null, after: named() };
  });
  // A map and a reduce, a chain, and one whose order is wrong.
  const plans = [
    planned.map((one, index) => (index === 3 ? { ...one, after: named(0, 1, 2) } : one)),
    planned.map((one, index) => (index === 0 ? one : { ...one, after: named(index - 1) })),
    planned.map((one, index) => (index === 0 ? { ...one, after: named(3) } : one)),
  ];
  const inBlock = fc.integer({ min: 1, max: 4 });
  const escrowWei = pick('1', '30', '50', '100').map((value) => wei(value));
  return fc.oneof(
    fc.record({
      type: fc.constant('SubmitTask' as const),
      requestId: pick(...requestIds.slice(2)),
      by: fc.constant(client),
      prompt: pick(contentCid('a'), contentCid('b')),
      promptTokens: fc.constant(0),
      maxTokens: fc.constant(16),
      maxPriceWei: fc.constant(null),
      step: fc.constant(1),
      after: pick(named(0), named(0, 1)),
      onChain: fc.record({ escrowWei, place: inBlock.map((block) => place(block)) }),
    }),
    fc.record({
      type: fc.constant('SubmitPlan' as const),
      plan: fc.constant(bytes32(9)),
      by: pick(client, router),
      steps: pick(...plans),
    }),
  );
}

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SessionOnChain } from '../../test/actors/session-chain.ts';
import { limits } from '../../src/core/limits.ts';
import { isConserved } from './money.ts';

// A memory so short that what matters is forgotten all the time: one ended task, and deposits as far as a reorg reaches.
const reorgBlocksMax = 6;
const bounds = limits as { sessionEndedTasksKept: number; sessionDepositBlocksKept: number };
const real = { ...bounds };
beforeAll(() => void Object.assign(bounds, { sessionEndedTasksKept: 1, sessionDepositBlocksKept: reorgBlocksMax }));
afterAll(() => void Object.assign(bounds, real));

/** What happens, by the name of the method and its arguments, so that a counterexample can be read. */
type Happening =
  | readonly ['deposit' | 'submit' | 'wish' | 'cancel' | 'advance' | 'finish' | 'reorgUnheard' | 'tellAgain', number]
  | readonly ['tryWishes' | 'refuseWishes']
  | readonly ['reorg', number, boolean, number];

function happen(on: SessionOnChain, [name, ...given]: Happening): void {
  (on[name] as (...of: readonly (number | boolean)[]) => void).apply(on, given);
}

const task = fc.integer({ min: 1, max: 6 });
const ofTask = <Name extends Happening[0]>(name: Name) => fc.tuple(fc.constant(name), task);
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 2, arbitrary: fc.constant(['deposit', 100] as const) },
  { weight: 4, arbitrary: ofTask('submit') },
  { weight: 4, arbitrary: ofTask('wish') },
  { weight: 4, arbitrary: fc.constant(['tryWishes'] as const) },
  { weight: 2, arbitrary: fc.constant(['refuseWishes'] as const) },
  { weight: 3, arbitrary: ofTask('cancel') },
  { weight: 8, arbitrary: ofTask('advance') },
  { weight: 6, arbitrary: ofTask('finish') },
  {
    weight: 3,
    arbitrary: fc.tuple(
      fc.constant('reorg' as const),
      fc.integer({ min: 1, max: reorgBlocksMax }),
      fc.boolean(),
      fc.nat(2),
    ),
  },
  { weight: 1, arbitrary: ofTask('reorgUnheard') },
  { weight: 3, arbitrary: fc.tuple(fc.constant('tellAgain' as const), fc.nat(200)) },
);

describe('a session that forgets', () => {
  test('has the money that the chain has, whatever is told again, taken back or wished under a used id', () => {
    let forgotten = 0;
    fc.assert(
      fc.property(fc.array(happening, { minLength: 20, maxLength: 90, size: 'max' }), (happenings) => {
        const on = new SessionOnChain();
        for (const one of happenings) {
          happen(on, one);
          expect(isConserved(on.run.state.context.money)).toBe(true);
        }
        // What is on its way arrives, and one more block ends the newest one.
        on.tryWishes();
        on.deposit(1);
        on.tryWishes();
        expect(on.waiting).toBe(0);
        const { depositedWei, balanceWei, escrowedWei, paidWei } = on.run.state.context.money;
        expect({ depositedWei, balanceWei, escrowedWei, paidWei }).toEqual(on.money());
        const { counts, ended, deposits } = on.run.state.context;
        forgotten += counts.settled + counts.refunded - ended.length;
        expect([ended.length <= 1, deposits.length > 0]).toEqual([true, true]);
      }),
      { numRuns: 1_500, seed: 20_261 },
    );
    expect(forgotten).toBeGreaterThan(1_000);
  });
});

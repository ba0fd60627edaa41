import { describe, expect, it } from 'vitest';
import { ActorRun } from '../../test/actors/actor-run.ts';
import { alice, bob, bytes32, fact, genesisAt, router } from '../../test/actors/chain-facts.ts';
import type { BatchFact } from '../../src/core/batch/fact.ts';
import { batchHeader } from '../../test/actors/batch-header.ts';
import { contentCid } from '../../src/core/cid.ts';
import type { Address } from '../../src/core/ids.ts';
import { type Wei, wei } from '../../src/core/wei.ts';
import type { RouterContext } from './context.ts';
import type { RouterCommand } from './decide.ts';
import { routerActor } from './definition.ts';

type Run = ActorRun<RouterContext, RouterCommand>;
const cid = contentCid('content');

function started(): Run {
  const run: Run = new ActorRun<RouterContext, RouterCommand>(routerActor);
  run.tell({ type: 'StartRouter', router });
  return run;
}

const see = (run: Run, body: BatchFact, block: number): string[] =>
  run.types({ type: 'SeeFact', fact: fact(block, body) });
const begin = (number: number): RouterCommand => ({
  type: 'BeginBatch',
  root: bytes32(10 + number),
  shares: [],
  leaves: cid,
});

/** Takes batch `number`, which the chain numbers one higher, to its outcomes, which are posted unless `isPosted` is false. */
function posted(run: Run, number: number, paid: { [account: Address]: Wei }, isPosted = true): void {
  const batch = number + 1;
  run.tell(begin(number));
  const precommitRoot = bytes32(10 + number);
  const begun = { type: 'BatchPrecommitted', batch, poster: router, manifestDigest: bytes32(1) } as const;
  see(run, { ...begun, header: { ...batchHeader, precommitRoot } }, 10 * batch);
  run.tell({ type: 'BindReveals', number, root: bytes32(2), reveals: cid });
  see(run, { type: 'BatchRevealed', batch, manifestDigest: bytes32(2), root: bytes32(2) }, 10 * batch + 1);
  const totals = Object.fromEntries(Object.entries(paid).map(([account, totalWei]) => [account, { totalWei, batch }]));
  const roots = { outcomeRoot: bytes32(3), paymentRoot: bytes32(4), payments: 1, drawnWei: [] };
  const { lineVersion = 0 } = run.state.context.batches ?? {};
  run.tell({ type: 'BindOutcomes', number, lineVersion, ...roots, paid: totals, outcomes: cid });
  const rest = { manifestDigest: bytes32(3), linePlace: number, ...roots } as const;
  if (isPosted) see(run, { type: 'BatchPosted', batch, ...rest }, 10 * batch + 2);
}

const stepOf = (run: Run, number: number): string | undefined => run.state.context.batches?.open[number]?.step;

describe('the batches of a router', () => {
  it('go from root to root as the chain has them, and end', () => {
    const run = started();
    posted(run, 0, { [alice]: wei(5) });
    expect(run.state.context.batches).toMatchObject({
      begun: 1,
      line: { [alice]: { totalWei: wei(5), batch: 1 } },
      open: { 0: { step: 'posted', batch: 1, dueAt: genesisAt + 12_000 + 3_600_000 } },
    });
    expect(run.state.context.batches?.open[0]?.header).toMatchObject({ outcomeRoot: bytes32(3), postedBlock: 12 });
    const { effects } = run.tell({ type: 'EndBatch', number: 0 });
    expect(effects).toMatchObject([{ kind: 'finishBatch', batch: 1, isOrphan: false }]);
    expect(see(run, { type: 'BatchFinal', batch: 1, drawnWei: wei(5) }, 20)).toEqual(['BatchEnded']);
    expect(run.state.context.batches?.open).toEqual({});
  });

  it('are on their way to the chain one at a time, and what the chain refuses is begun again under the same number', () => {
    const run = started();
    run.tell(begin(0));
    expect(run.tell(begin(0)).rejection?.code).toBe('batch_pending');
    expect(run.types({ type: 'DropBatch', number: 0, reason: 'BondTooLow' })).toEqual(['BatchDropped']);
    expect(run.tell(begin(0)).effects).toMatchObject([{ kind: 'postPrecommits', number: 0 }]);
  });

  it('bind their outcomes one after the other, since totals go on', () => {
    const run = started();
    for (const number of [0, 1]) {
      run.tell(begin(number));
      const begun = { batch: number + 1, poster: router, manifestDigest: bytes32(1) } as const;
      const own = { ...batchHeader, precommitRoot: bytes32(10 + number) };
      see(run, { type: 'BatchPrecommitted', ...begun, header: own }, 3 + number);
      run.tell({ type: 'BindReveals', number, root: bytes32(2), reveals: cid });
      see(run, { type: 'BatchRevealed', batch: number + 1, manifestDigest: bytes32(2), root: bytes32(2) }, 6 + number);
    }
    const bind = (number: number, lineVersion: number): RouterCommand => ({
      type: 'BindOutcomes',
      number,
      lineVersion,
      outcomeRoot: bytes32(3),
      paymentRoot: bytes32(4),
      payments: 0,
      drawnWei: [],
      paid: {},
      outcomes: cid,
    });
    expect(run.types(bind(0, 0))).toEqual(['BatchOutcomesBound']);
    expect(run.tell(bind(1, 1)).rejection?.code).toBe('batch_pending');
    const rest = { outcomeRoot: bytes32(3), paymentRoot: bytes32(4), payments: 0, drawnWei: [], linePlace: 0 };
    see(run, { type: 'BatchPosted', batch: 1, manifestDigest: bytes32(3), ...rest }, 9);
    // Payments that were computed before the first one's were bound would forget them.
    expect(run.tell(bind(1, 0)).rejection?.code).toBe('batch_line_moved');
    expect(run.types(bind(1, 1))).toEqual(['BatchOutcomesBound']);
  });

  it('take those behind a void one along, and the line goes on from before it', () => {
    const run = started();
    posted(run, 0, { [alice]: wei(5) });
    posted(run, 1, { [alice]: wei(8), [bob]: wei(1) });
    posted(run, 2, { [bob]: wei(4) });
    const fault = { type: 'BatchVoid', batch: 2, fault: 'WrongReveal', challenger: bob } as const;
    expect(see(run, fault, 90)).toEqual(['BatchEnded']);
    expect(run.state.context.batches?.line).toEqual({ [alice]: { totalWei: wei(5), batch: 1 } });
    expect(stepOf(run, 0)).toBe('posted');
    const { effects } = run.tell({ type: 'EndBatch', number: 2 });
    expect(effects).toMatchObject([{ kind: 'finishBatch', batch: 3, isOrphan: true }]);
    see(run, { type: 'BatchVoid', batch: 3, fault: 'Orphan', challenger: bob }, 91);
    expect(run.state.context.batches).toMatchObject({ line: { [alice]: { totalWei: wei(5), batch: 1 } } });
    expect(Object.keys(run.state.context.batches?.open ?? {})).toEqual(['0']);
  });

  it('take nobody along where they never stood in the line, as their roots were late', () => {
    const run = started();
    posted(run, 0, { [alice]: wei(5) });
    posted(run, 1, { [alice]: wei(8), [bob]: wei(1) });
    const { line } = run.state.context.batches ?? {};
    run.tell(begin(2));
    const begun = { batch: 3, poster: router, manifestDigest: bytes32(1) } as const;
    see(run, { type: 'BatchPrecommitted', ...begun, header: { ...batchHeader, precommitRoot: bytes32(12) } }, 30);
    see(run, { type: 'BatchVoid', batch: 3, fault: 'Late', challenger: bob }, 90);
    expect(run.state.context.batches?.line).toEqual(line);
    expect(Object.values(run.state.context.batches?.open ?? {}).map(({ isOrphan }) => isOrphan)).toEqual([
      false,
      false,
    ]);
  });

  it('come into the line that is left where one before is void while they are on their way', () => {
    const run = started();
    posted(run, 0, { [alice]: wei(5) });
    posted(run, 1, { [alice]: wei(8), [bob]: wei(1) }, false);
    see(run, { type: 'BatchVoid', batch: 1, fault: 'WrongReveal', challenger: bob }, 90);
    // On chain they stand, with the totals that were bound.
    const paid = { [alice]: { totalWei: wei(8), batch: 2 }, [bob]: { totalWei: wei(1), batch: 2 } };
    expect(run.state.context.batches).toMatchObject({ line: paid, lineVersion: 3, open: { 1: { isOrphan: false } } });
    see(run, { type: 'BatchVoid', batch: 2, fault: 'WrongPayment', challenger: bob }, 91);
    expect(run.state.context.batches?.line).toEqual({});
  });

  it('are not those of other routers, and what comes again changes nothing', () => {
    const run = started();
    const others = {
      type: 'BatchPrecommitted',
      batch: 9,
      poster: bob,
      manifestDigest: bytes32(1),
      header: batchHeader,
    } as const;
    expect(see(run, others, 5)).toEqual([]);
    posted(run, 0, {});
    expect(see(run, { type: 'BatchRevealed', batch: 1, manifestDigest: bytes32(2), root: bytes32(2) }, 11)).toEqual([]);
    expect(run.types({ type: 'BindReveals', number: 0, root: bytes32(2), reveals: cid })).toEqual([]);
    expect(run.types({ type: 'EndBatch', number: 7 })).toEqual([]);
    expect(
      see(run, { type: 'LeafDemanded', batch: 1, kind: 'outcome', position: 0, asker: router, answerBy: 0 }, 13),
    ).toEqual([]);
  });
});

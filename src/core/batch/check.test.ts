import { describe, expect, test } from 'vitest';
import {
  accountOf,
  failed,
  isSampleNode,
  sampleBatch,
  samplePlace,
  sampleTasks,
} from '../../../test/kit/batch-sample.ts';
import { type Wei, wei } from '../wei.ts';
import type { BatchData, Watch } from './challenge.ts';
import { checkBatch } from './check.ts';
import type { LeafKind, OutcomeLeaf, PaymentLeaf, PrecommitLeaf, RevealLeaf } from './leaves.ts';
import { batchTree, type Leaves } from './tree.ts';

const earlier = sampleBatch(1, sampleTasks(6, 1));
const honest = sampleBatch(2, sampleTasks(11, 2, 2), earlier.line).data;
const watch: Watch = { place: samplePlace, earlier: [earlier.data], headerOf: () => undefined, isNode: isSampleNode };

/** A posted batch with other leaves of a kind: what follows from them is left as it was. */
function withLeaves<Kind extends LeafKind>(kind: Kind, change: (leaves: Leaves[Kind][]) => void): BatchData {
  const leaves = structuredClone(honest[kind].leaves.slice(0, honest[kind].count)) as Leaves[Kind][];
  change(leaves);
  const tree = batchTree(kind, leaves);
  const header = { ...honest.header, [`${kind}Root`]: tree.root };
  return { ...honest, header: kind === 'payment' ? { ...header, payments: tree.count } : header, [kind]: tree };
}

const set = <Leaf>(leaves: Leaf[], index: number, change: Partial<Leaf>) => {
  leaves[index] = { ...(leaves[index] as Leaf), ...change };
};

const plus = (amount: Wei, more: bigint) => wei(BigInt(amount) + more);
const callsFor = (batch: BatchData, given = watch) => new Set(checkBatch(batch, given).map(({ call }) => call));

const task = (change: Partial<PrecommitLeaf>) => withLeaves('precommit', (leaves) => set(leaves, 1, change));
const shown = (change: Partial<RevealLeaf>) => withLeaves('reveal', (leaves) => set(leaves, 1, change));
const outcome = (index: number, change: Partial<OutcomeLeaf>) =>
  withLeaves('outcome', (leaves) => set(leaves, index, change));
const payment = (index: number, change: Partial<PaymentLeaf>) =>
  withLeaves('payment', (leaves) => set(leaves, index, change));
const paid = (index: number) => honest.payment.leaves[index] as PaymentLeaf;

test('an honest batch has no fault', () => {
  expect(checkBatch(earlier.data, { ...watch, earlier: [] })).toEqual([]);
  expect(checkBatch(honest, watch)).toEqual([]);
});

test('an honest batch of failed tasks has no fault', () => {
  const { data } = sampleBatch(3, sampleTasks(3, 7).map(failed));
  expect(data.header.payments).toBe(0);
  expect(checkBatch(data, { ...watch, earlier: [] })).toEqual([]);
});

describe('each fault is found, with the call that proves it', () => {
  const nobody = accountOf(99);
  const miners = (honest.precommit.leaves[1] as PrecommitLeaf).miners;
  test.each<[string, BatchData, string]>([
    ['another session', task({ session: 9 }), 'proveBadAssignment'],
    ['a price bound above the terms', task({ maxPriceWei: wei(2n * 10n ** 18n) }), 'proveBadAssignment'],
    ['no price bound', task({ maxPriceWei: wei(0) }), 'proveBadAssignment'],
    ['a stranger as miner', task({ miners: [nobody, ...miners.slice(1)] }), 'proveBadAssignment'],
    ['a miner twice', task({ miners: [...miners.slice(1), miners[1] as never] }), 'proveBadAssignment'],
    ['no validators', task({ validators: [] }), 'proveBadAssignment'],
    ['another result', shown({ salts: honest.outcome.hashes.slice(0, 3) }), 'proveWrongReveal'],
    ['too few salts', shown({ salts: [] }), 'proveWrongReveal'],
    ['a price that does not follow', outcome(0, { priceWei: wei(5) }), 'proveWrongOutcome'],
    ['a refund that does not follow', outcome(0, { refundWei: wei(5) }), 'proveWrongOutcome'],
    ['tokens that do not follow', outcome(0, { outputTokens: 1_000 }), 'proveWrongOutcome'],
    ['an outcome for another task', outcome(0, { task: outcomeTask(1) }), 'proveWrongOutcome'],
    ['too few voters', outcome(0, { voters: 1 }), 'proveWrongOutcome'],
    ['voters that are none', outcome(0, { voters: 7 }), 'proveWrongOutcome'],
    ['an honest miner that did not reveal', outcome(1, { honest: 15 }), 'proveWrongOutcome'],
    ['sums that begin elsewhere', outcome(0, { sessionPriceWei: wei(5) }), 'proveWrongDraw'],
    ['sums that do not go on', outcome(2, { sessionRefundWei: wei(5) }), 'proveWrongSum'],
    ['a wrong amount', payment(3, { amountWei: plus(paid(3).amountWei, 1n) }), 'proveWrongPayment'],
    ['a payment to a stranger', payment(3, { account: nobody }), 'proveWrongPayment'],
    ['a payment for no task', payment(3, { position: 11 }), 'proveWrongTotal'],
    ['a total that does not begin', payment(0, { batchTotalWei: wei(1) }), 'proveWrongTotal'],
    ['a total that jumps', payment(3, { batchTotalWei: plus(paid(3).batchTotalWei, 1n) }), 'proveWrongOrder'],
    ['an account that jumps', payment(1, { accountTotalWei: plus(paid(1).accountTotalWei, 1n) }), 'proveWrongOrder'],
  ])('%s', (_, batch, call) => {
    expect(callsFor(batch)).toContain(call);
  });

  test('a session drawn for more than its tasks cost', () => {
    const [first, ...rest] = honest.header.sessions;
    const part = { ...(first as (typeof honest.header.sessions)[number]) };
    const header = { ...honest.header, sessions: [{ ...part, drawnWei: plus(part.drawnWei, 1n) }, ...rest] };
    expect(callsFor({ ...honest, header })).toEqual(new Set(['proveWrongDraw', 'proveWrongTotal']));
  });

  test.each([0, 7, honest.payment.count - 1])('payment %i missing', (index) => {
    const batch = withLeaves('payment', (leaves) => {
      leaves.splice(index, 1);
      leaves.forEach((_, at) => set(leaves, at, { index: at }));
    });
    const missing = checkBatch(batch, watch).filter(({ call }) => call === 'proveMissingPayment');
    expect(missing).toMatchObject([{ account: paid(index).account, share: paid(index).share }]);
    expect(missing).toMatchObject([
      { around: { length: index === 7 ? 2 : 1 }, behind: index === honest.payment.count - 1 },
    ]);
  });

  test('one task paid for at two positions', () => {
    const again = sampleTasks(2, 5);
    const { data } = sampleBatch(3, [...again, { ...(again[0] as (typeof again)[number]) }]);
    expect(callsFor(data, { ...watch, earlier: [] })).toEqual(new Set(['proveDoublePayment']));
  });

  test('a task that an earlier batch paid for', () => {
    const { data } = sampleBatch(2, sampleTasks(2, 1), earlier.line);
    expect(callsFor(data)).toEqual(new Set(['provePaidBefore']));
  });

  test('a task that failed before may be paid for', () => {
    const [, , , , before] = sampleTasks(5, 1);
    const verdict = { winner: 0, honest: 7, voters: 3, promptTokens: 1, outputTokens: 1 };
    const { data } = sampleBatch(2, [{ ...(before as (typeof again)[number]), verdict }], earlier.line);
    expect(checkBatch(data, watch)).toEqual([]);
  });
  const again = sampleTasks(1, 1);
});

describe('totals that do not go on from the line', () => {
  const records = sampleTasks(4, 2);
  test('earnings that are forgotten', () => {
    const { data } = sampleBatch(2, records, new Map());
    expect(callsFor(data)).toEqual(new Set(['proveForgottenEarnings']));
  });

  test('earnings that are invented, with no batch named', () => {
    const line = new Map([...earlier.line].map(([account, { totalWei }]) => [account, { totalWei, batch: 0 }]));
    const { data } = sampleBatch(2, records, line);
    expect(callsFor(data)).toEqual(new Set(['proveInventedStart']));
  });

  test('earnings that the named batch does not have', () => {
    const raise = ({ totalWei }: { totalWei: Wei }) => ({ totalWei: plus(totalWei, 3n), batch: 1 });
    const line = new Map([...earlier.line].map(([account, standing]) => [account, raise(standing)]));
    const { data } = sampleBatch(2, records, line);
    expect(callsFor(data)).toEqual(new Set(['proveInventedEarnings']));
  });

  test('a batch that is not in the line', () => {
    const line = new Map([...earlier.line].map(([account, { totalWei }]) => [account, { totalWei, batch: 77 }]));
    const { data } = sampleBatch(2, records, line);
    expect(callsFor(data)).toEqual(new Set(['proveWrongOrigin']));
  });
});

describe('what cannot be read is demanded', () => {
  test('a position without its leaf', () => {
    const twice = withLeaves('outcome', (leaves) => {
      leaves[2] = leaves[1] as OutcomeLeaf;
    });
    expect(checkBatch(twice, watch)).toEqual([{ call: 'demand', kind: 'outcome', position: 2 }]);
  });

  test('every leaf of a tree that is not the posted one', () => {
    const other = { ...honest, header: { ...honest.header, revealRoot: honest.header.outcomeRoot } };
    const calls = checkBatch(other, watch);
    expect(calls).toHaveLength(16);
    expect(calls[15]).toEqual({ call: 'demand', kind: 'reveal', position: 15 });
  });
});

function outcomeTask(position: number) {
  return (honest.outcome.leaves[position] as OutcomeLeaf).task;
}

import { expect, test } from 'vitest';
import { failed, sampleBatch, sampleTasks } from '../../../test/kit/batch-sample.ts';
import { limits } from '../limits.ts';
import { oneCor, type Wei, wei } from '../wei.ts';
import { buildOutcomes, buildPrecommits, buildReveals, type TaskRecord } from './build.ts';
import { zeroHash } from './leaves.ts';

test('tasks come by session, and each session reserves the sum of its highest prices', () => {
  const { shares, tree } = buildPrecommits(sampleTasks(5, 1, 2));
  expect(shares).toEqual([
    { session: 1, tasks: 3, reservedWei: wei(3n * BigInt(oneCor)) },
    { session: 2, tasks: 2, reservedWei: wei(2n * BigInt(oneCor)) },
  ]);
  expect(tree.leaves.slice(0, 5).map(({ session }) => session)).toEqual([1, 1, 1, 2, 2]);
});

test('a miner that did not reveal has nothing in the second tree', () => {
  const reveals = buildReveals(buildPrecommits(sampleTasks(3, 1)));
  expect(reveals.leaves[2]?.resultRoots[2]).toBe(zeroHash);
  expect(reveals.leaves[1]?.resultRoots).not.toContain(zeroHash);
});

test('payments add up to what is drawn, and refunds to the rest', () => {
  const { data } = sampleBatch(1, sampleTasks(11, 1, 3));
  const sum = (amounts: readonly Wei[]) => amounts.reduce((total, amount) => total + BigInt(amount), 0n);
  const { sessions } = data.header;
  const paid = data.payment.leaves.slice(0, data.payment.count);
  const drawn = sum(sessions.map(({ drawnWei }) => drawnWei));
  expect(sum(paid.map(({ amountWei }) => amountWei))).toBe(drawn);
  expect(sum(data.outcome.leaves.map(({ refundWei }) => refundWei))).toBe(
    sum(sessions.map(({ reservedWei }) => reservedWei)) - drawn,
  );
});

test('an account has one running total over all batches of a poster', () => {
  const first = sampleBatch(1, sampleTasks(6, 1));
  const second = sampleBatch(2, sampleTasks(6, 2), first.line);
  for (const [account, { totalWei, batch }] of second.line) {
    expect(batch).toBe(2);
    expect(BigInt(totalWei)).toBeGreaterThan(BigInt(first.line.get(account)?.totalWei ?? 0));
  }
});

test('at level 0 whoever revealed is paid the highest price', () => {
  const records = sampleTasks(3, 1).map(failed);
  const precommits = buildPrecommits(records);
  const { header } = sampleBatch(1, records).data;
  const sessions = header.sessions.map((part) => ({ ...part, level: 0 }));
  const { outcomes } = buildOutcomes(1, { ...header, sessions }, precommits, new Map());
  expect(outcomes.leaves[0]).toMatchObject({ honest: 7, winner: 0, voters: 0, priceWei: oneCor, refundWei: '0' });
  expect(outcomes.leaves[2]).toMatchObject({ honest: 3 });
  const silent = records.map((record): TaskRecord => {
    const slots = record.slots.map(({ miner, attempt, precommit }) => ({ miner, attempt, precommit }));
    return { ...record, slots };
  });
  const none = buildOutcomes(1, { ...header, sessions }, buildPrecommits(silent), new Map());
  expect(none.outcomes.leaves[0]).toMatchObject({ honest: 0, priceWei: '0', refundWei: oneCor });
});

test('a batch has bounds', () => {
  const tasks = sampleTasks(limits.batchTasksMax, 1);
  expect(buildPrecommits(tasks).tree.count).toBe(1_024);
  const refusal = /A batch has at most \d+ (tasks|sessions), not/;
  expect(() => buildPrecommits([...tasks, ...sampleTasks(1, 2)])).toThrow(refusal);
  expect(buildPrecommits(sampleTasks(16, 1, limits.batchSessionsMax)).shares).toHaveLength(16);
  expect(() => buildPrecommits(sampleTasks(17, 1, 17))).toThrow(refusal);
  expect(() => buildPrecommits([])).toThrow('a batch has a task');
});

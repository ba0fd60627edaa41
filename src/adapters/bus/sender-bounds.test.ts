import { expect, test } from 'vitest';
import { limits } from '../../core/limits.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { SenderBounds, senderOf } from './sender-bounds.ts';

function bounds(perS: number, atOnce: number) {
  const clock = new VirtualClock({ startMs: 1_700_000_000_000 });
  const told: [string, number][] = [];
  const made = new SenderBounds({ perS, atOnce, onExcess: (...excess) => void told.push(excess) }, clock);
  const flooding: string[] = [];
  made.onFlood = (sender) => void flooding.push(sender);
  /** How many of so many messages are taken. */
  const take = (subject: string, count: number): number =>
    Array.from({ length: count }, () => made.admits(subject)).filter(Boolean).length;
  return { clock, told, take, flooding, close: () => made.close() };
}

test('the sender is the last token', () => {
  expect(['a.b.bob', 'bob', 'a.'].map(senderOf)).toEqual(['bob', 'bob', '']);
});

test('each sender may send so much at once, on whatever subjects, and no other pays for it', () => {
  const { take } = bounds(4, 32);
  expect([take('hb.a.bob', 30), take('hb.b.bob', 3), take('hb.a.ann', 32), take('hb.a.ann', 1)]).toEqual([
    30, 2, 32, 0,
  ]);
});

test('what may be sent comes back with the time, up to what may be sent at once', async () => {
  const { take, clock } = bounds(4, 8);
  expect(take('bob', 9)).toBe(8);
  await clock.advance(249);
  expect(take('bob', 2)).toBe(0);
  await clock.advance(1);
  expect(take('bob', 2)).toBe(1);
  await clock.advance(1_000);
  expect(take('bob', 9)).toBe(4);
  await clock.advance(60_000);
  expect(take('bob', 9)).toBe(8);
});

test('what is dropped is told once in a while, by sender, and the rest at the end', async () => {
  const { take, told, clock, close } = bounds(1, 1);
  take('bob', 1_001);
  take('ann', 3);
  await clock.advance(limits.busExcessMs - 1);
  expect(told).toEqual([]);
  await clock.advance(1);
  expect(told).toEqual([
    ['bob', 1_000],
    ['ann', 2],
  ]);
  take('bob', 2);
  close();
  expect(told.slice(2)).toEqual([['bob', 1]]);
});

test('who sends far too much is named at once, once in a while', async () => {
  const { take, clock, flooding } = bounds(1, 1);
  take('bob', limits.busShutOutAfter);
  expect(flooding).toEqual([]);
  take('bob', 2);
  take('ann', limits.busShutOutAfter);
  expect(flooding).toEqual(['bob']);
  await clock.advance(limits.busExcessMs);
  take('bob', limits.busShutOutAfter + 1);
  expect(flooding).toEqual(['bob', 'bob']);
});

test('no more senders are remembered than there is room for', () => {
  const { take } = bounds(1, 1);
  const all = limits.busSendersKept;
  for (let sender = 0; sender < all; sender += 1) take(`${sender}`, 1);
  expect([take('0', 1), take('one more', 1), take('0', 1), take('1', 1)]).toEqual([0, 1, 1, 1]);
});

import { expect, test } from 'vitest';
import { toAddress } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { AnchorPatience } from './anchor-patience.ts';

const router = toAddress(`0x${'a1'.repeat(20)}`);
const everyMs = 5_000;

/** When it first says that the wait is over, asked every so often of a log that has moved from some time on. */
async function overAt(
  patience: AnchorPatience,
  { stepMs = 1_000, movedFromMs = 0, resetAtMs = -1, untilMs = 1_000_000 } = {},
): Promise<number | undefined> {
  for (let nowMs = 0; nowMs <= untilMs; nowMs += stepMs) {
    if (nowMs === resetAtMs) patience.reset();
    if (await patience.isOver(nowMs, async () => nowMs >= movedFromMs)) return nowMs;
  }
  return undefined;
}

test('it waits for its time twice, and not a moment less', async () => {
  const turnMs = limits.anchorOverdueTurns * everyMs;
  const at = (await overAt(new AnchorPatience(router, everyMs), { stepMs: 1 }))!;
  expect(at).toBeGreaterThan(2 * turnMs);
  expect(at).toBeLessThan(4 * turnMs + 2);
  const patience = new AnchorPatience(router, everyMs);
  expect(await overAt(patience, { stepMs: at / 2, untilMs: at - 1 })).toBeUndefined();
});

test('it never waits less than leases of the dead last', async () => {
  expect(await overAt(new AnchorPatience(router, 1))).toBeGreaterThan(2 * limits.anchorOverdueMsMin);
});

test('a log that stands still is waited for for ever, and one that moves later from then on', async () => {
  const patience = new AnchorPatience(router, everyMs);
  expect(await overAt(patience, { movedFromMs: Infinity })).toBeUndefined();
  const late = await overAt(new AnchorPatience(router, everyMs), { movedFromMs: 500_000 });
  expect(late).toBeGreaterThan(500_000 + limits.anchorOverdueTurns * everyMs);
});

test('each anchor begins the wait anew, and so does each that it made itself', async () => {
  const at = (await overAt(new AnchorPatience(router, everyMs)))!;
  expect(await overAt(new AnchorPatience(router, everyMs), { resetAtMs: at - 1_000 })).toBeGreaterThan(2 * at - 3_000);
});

test('routers come one after the other', async () => {
  const all = await Promise.all(
    ['a', 'b', 'c', 'd'].map((digit) => overAt(new AnchorPatience(toAddress(`0x${digit.repeat(40)}`), everyMs))),
  );
  expect(new Set(all).size).toBe(4);
});

test('it looks at the log once in its time only', async () => {
  const patience = new AnchorPatience(router, everyMs);
  let looks = 0;
  const look = async (): Promise<boolean> => {
    looks += 1;
    return false;
  };
  const untilMs = limits.anchorOverdueTurns * everyMs * 10;
  for (let nowMs = 0; nowMs <= untilMs; nowMs += 1_000) await patience.isOver(nowMs, look);
  expect(looks).toBeGreaterThan(3);
  expect(looks).toBeLessThanOrEqual(10);
});

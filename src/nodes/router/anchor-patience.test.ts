import { expect, test } from 'vitest';
import type { AnchoredHead } from '../../core/anchor.ts';
import { streamId, toAddress } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { AnchorPatience } from './anchor-patience.ts';

const router = toAddress(`0x${'a1'.repeat(20)}`);
const everyMs = 5_000;
const stream = streamId('session', '31337-abcdef01-1');

/** When it first says that the wait is over, asked every so often of a log whose head is one and anchored up to another. */
async function overAt(
  patience: AnchorPatience,
  {
    stepMs = 1_000,
    untilMs = 1_000_000,
    head = (_nowMs: number): number => 1,
    anchored = (_nowMs: number): number => 0,
    before = (_nowMs: number): void => {},
  } = {},
): Promise<number | undefined> {
  for (let nowMs = 0; nowMs <= untilMs; nowMs += stepMs) {
    before(nowMs);
    const newHead = async (): Promise<AnchoredHead | undefined> =>
      head(nowMs) > anchored(nowMs) ? [stream, head(nowMs), 'hash'] : undefined;
    if (await patience.isOver(nowMs, { newHead, isAnchored: ([, version]) => version <= anchored(nowMs) }))
      return nowMs;
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
  expect(await overAt(new AnchorPatience(router, everyMs), { head: () => 0 })).toBeUndefined();
  const late = await overAt(new AnchorPatience(router, everyMs), { head: (nowMs) => (nowMs < 500_000 ? 0 : 1) });
  expect(late).toBeGreaterThan(500_000 + limits.anchorOverdueTurns * everyMs);
});

test('a log that moves all the time is not overdue as long as anchors follow, and is when they are of other things', async () => {
  const head = (nowMs: number): number => 1 + nowMs / 1_000;
  const anchored = (nowMs: number): number => Math.max(0, nowMs / 1_000 - 10);
  expect(await overAt(new AnchorPatience(router, everyMs), { head, anchored })).toBeUndefined();
  const stopped = (nowMs: number): number => Math.min(anchored(nowMs), 300);
  expect(await overAt(new AnchorPatience(router, everyMs), { head, anchored: stopped })).toBeGreaterThan(300_000);
});

test('it begins anew when it has had the lease itself', async () => {
  const at = (await overAt(new AnchorPatience(router, everyMs)))!;
  const patience = new AnchorPatience(router, everyMs);
  const before = (nowMs: number): void => void (nowMs === at - 1_000 && patience.reset());
  expect(await overAt(patience, { before })).toBeGreaterThan(2 * at - 3_000);
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
  const newHead = async (): Promise<undefined> => void (looks += 1);
  const untilMs = limits.anchorOverdueTurns * everyMs * 10;
  for (let nowMs = 0; nowMs <= untilMs; nowMs += 1_000)
    await patience.isOver(nowMs, { newHead, isAnchored: () => false });
  expect(looks).toBeGreaterThan(3);
  expect(looks).toBeLessThanOrEqual(10);
});

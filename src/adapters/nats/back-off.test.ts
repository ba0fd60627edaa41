import { expect, test } from 'vitest';
import { limits } from '../../core/limits.ts';
import { createBackOff } from './back-off.ts';

test('waits double up to the longest, and are the shortest again after success', () => {
  const backOff = createBackOff(() => 1);
  const waits = Array.from({ length: 12 }, () => {
    const waitMs = backOff.waitMs();
    backOff.grow();
    return waitMs;
  });
  expect(waits.slice(0, 4)).toEqual([1, 2, 4, 8].map((times) => times * limits.natsReconnectMsMin));
  expect(waits.at(-1)).toBe(limits.natsReconnectMsMax);
  backOff.reset();
  expect(backOff.waitMs()).toBe(limits.natsReconnectMsMin);
});

test('a wait stays the same until the next try, since it is asked for many times', () => {
  const draws = [0.1, 0.9, 0.5];
  const backOff = createBackOff(() => draws.shift() ?? 0);
  const first = backOff.waitMs();
  expect([backOff.waitMs(), backOff.waitMs()]).toEqual([first, first]);
});

test('nodes that draw differently wait differently, each at least half as long', () => {
  const shortest = createBackOff(() => 0).waitMs();
  const longest = createBackOff(() => 1).waitMs();
  expect([shortest, longest]).toEqual([limits.natsReconnectMsMin / 2, limits.natsReconnectMsMin]);
});

test('a server that is away for days does not make waits overflow', () => {
  const backOff = createBackOff(() => 1);
  for (let tries = 0; tries < 10_000; tries++) backOff.grow();
  expect(backOff.waitMs()).toBe(limits.natsReconnectMsMax);
});

import { afterEach, expect, test } from 'vitest';
import type { SessionId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { LedSessions } from './led-sessions.ts';

// The real bounds take long to reach; what happens at them does not depend on their size.
const bounds = limits as { routerSessionsMax: number; closedSessionsKept: number };
const real = { ...bounds };
afterEach(() => void Object.assign(bounds, real));

const id = (number: number) => `31337-abcdefab-${number}` as SessionId;

function led() {
  const listening = new Set<SessionId>();
  const sessions = new LedSessions((session) => {
    listening.add(session);
    return { close: async () => void listening.delete(session) };
  });
  return { sessions, listening };
}

test('a router listens to the sessions it leads until they are closed', async () => {
  const { sessions, listening } = led();
  expect([sessions.lead(id(1)), sessions.lead(id(2)), sessions.lead(id(1))]).toEqual([true, true, true]);
  await sessions.close(id(1));
  expect([...listening]).toEqual([id(2)]);
  expect([sessions.has(id(1)), sessions.has(id(2)), sessions.size]).toEqual([true, true, 1]);
  expect(sessions.lead(id(1))).toBe(true);
  expect([...listening]).toEqual([id(2)]);
});

test('it leads no more than its bound, and one more when one is closed', async () => {
  bounds.routerSessionsMax = 1;
  const { sessions, listening } = led();
  expect([sessions.lead(id(1)), sessions.lead(id(2)), sessions.has(id(2))]).toEqual([true, false, false]);
  await sessions.close(id(1));
  expect(sessions.lead(id(2))).toBe(true);
  expect([...listening]).toEqual([id(2)]);
});

test('it answers for the sessions that were closed last', async () => {
  bounds.closedSessionsKept = 2;
  const { sessions } = led();
  for (const number of [1, 2, 3]) {
    sessions.lead(id(number));
    await sessions.close(id(number));
  }
  expect([1, 2, 3].map((number) => sessions.has(id(number)))).toEqual([false, true, true]);
});

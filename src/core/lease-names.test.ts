import { expect, test } from 'vitest';
import { type Address, toAddress } from './ids.ts';
import { isSessionsLease, leasesOfRouter, routersOfLease, sessionsLease } from './lease-names.ts';
import { limits } from './limits.ts';

const routers = Array.from({ length: limits.sessionRoutersMax + 1 }, (_, n) =>
  toAddress(`0x${(n + 16).toString(16).repeat(20)}`),
);
const [a, b, c] = routers as [Address, Address, Address];

/** Whether a pattern of subjects matches a name. */
function matches(pattern: string, name: string): boolean {
  const [wanted, found] = [pattern.split('.'), name.split('.')];
  return wanted.every((token, at) =>
    token === '>' ? found.length > at : found[at] !== undefined && (token === '*' || token === found[at]),
  );
}

test('a group’s name has its routers, each once and in one order, between its number and its end', () => {
  expect(sessionsLease(3, [b, a, b])).toBe(`sessions.3.${a}.${b}.end`);
  expect(routersOfLease(sessionsLease(3, [b, a]))).toEqual([a, b]);
});

test.each([
  'anchor',
  'session.31337-cccccccc-7',
  'sessions',
  `sessions.1.${a}`,
  `sessions.1.${a}.end.more`,
  `sessions.1.${a}.nobody.end`,
  `session.1.${a}.end`,
  sessionsLease(1, routers),
])('%s is no name of a group, and has no routers', (name) => {
  expect(routersOfLease(name)).toEqual([]);
});

test('what begins as the name of a group is held to be one', () => {
  expect(['sessions.1', sessionsLease(1, [a]), 'session.1', 'anchor', 'sessions'].map(isSessionsLease)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});

test('the patterns of a router match its leases at each place, up to the last that there is, and no others', () => {
  const most = routers.slice(0, limits.sessionRoutersMax);
  const name = sessionsLease(7, most);
  expect(routersOfLease(name)).toEqual(most);
  for (const router of most) expect(leasesOfRouter(router).filter((pattern) => matches(pattern, name))).toHaveLength(1);
  const stranger = leasesOfRouter(routers.at(-1)!);
  expect(stranger).toHaveLength(limits.sessionRoutersMax);
  for (const other of [name, sessionsLease(0, [a]), 'anchor', `sessions.0.${routers.at(-1)}`])
    expect(stranger.filter((pattern) => matches(pattern, other))).toEqual([]);
  expect(leasesOfRouter(c).filter((pattern) => matches(pattern, sessionsLease(15, [c])))).toHaveLength(1);
});

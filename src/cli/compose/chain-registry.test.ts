import { expect, test } from 'vitest';
import { systemClock } from '../../adapters/local/system-clock.ts';
import { PouwError } from '../../core/errors.ts';
import { type Role, toAddress } from '../../core/ids.ts';
import { wei } from '../../core/wei.ts';
import type { NodeRecord } from '../../ports/chain.ts';
import { ChainRegistry, type RegistryChain } from './chain-registry.ts';

const known = record('1', 'router');
const late = record('2', 'miner');

function record(digit: string, role: Role): NodeRecord {
  const node = toAddress(`0x${digit.repeat(40)}`);
  const registered = { node, roles: [role], key: `0x${digit.repeat(64)}`, stakeWei: wei(1n), active: true } as const;
  return { ...registered, number: Number(digit), level: 0, coolUntilAt: 0 };
}

/** A chain that says who is registered, and has no sessions. */
function chainOf(node: RegistryChain['node']): RegistryChain {
  return { node, block: async () => ({ number: 1, hash: `0x${'0'.repeat(64)}`, at: 0 }), openings: async () => [] };
}

function away(): PouwError {
  return new PouwError('chain_unreachable', 'The chain does not answer.', { class: 'unavailable' });
}

function registry(): { registry: ChainRegistry; stop: AbortController; lines: string[] } {
  const stop = new AbortController();
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  const log = { info: say, warn: say };
  const clock = { ...systemClock, sleep: () => systemClock.sleep(1) };
  return { registry: new ChainRegistry({ clock, log, signal: stop.signal }), stop, lines };
}

test('it knows who is registered, and asks the chain for who is not known', async () => {
  const { registry: opened } = registry();
  const node = async (address: string): Promise<NodeRecord | undefined> => (address === late.node ? late : undefined);
  opened.open(chainOf(node), [known]);
  expect(opened.get(known.node)).toEqual({ roles: ['router'], key: known.key });
  expect(opened.get(late.node)).toBeUndefined();
  const nobody = toAddress(`0x${'3'.repeat(40)}`);
  await opened.learn([late.node, nobody]);
  expect(opened.get(late.node)).toEqual({ roles: ['miner'], key: late.key });
  expect(opened.get(nobody)).toBeUndefined();
  opened.requireKnown();
});

test('who asks before the chain was opened waits for it', async () => {
  const { registry: opened } = registry();
  let isThere = false;
  const learning = opened.learn([late.node]).then(() => (isThere = true));
  await systemClock.sleep(20);
  expect(isThere).toBe(false);
  opened.open(
    chainOf(async () => late),
    [],
  );
  await learning;
  expect(opened.get(late.node)?.roles).toEqual(['miner']);
});

test('while the chain does not answer it says so, and goes on when it does', async () => {
  const { registry: opened, lines } = registry();
  let isAway = true;
  opened.open(
    chainOf(() => (isAway ? Promise.reject(away()) : Promise.resolve(late))),
    [],
  );
  const learning = opened.learn([late.node]);
  await systemClock.sleep(50);
  expect(() => opened.requireKnown()).toThrow(expect.objectContaining({ code: 'registry_unknown' }));
  isAway = false;
  await learning;
  opened.requireKnown();
  expect(lines).toEqual(['the log waits for the registry', 'the registry is there again: the log is read on']);
});

test.each([true, false])('a process that stops does not wait for it (a chain was opened: %s)', async (isOpen) => {
  const { registry: opened, stop } = registry();
  if (isOpen)
    opened.open(
      chainOf(() => Promise.reject(away())),
      [],
    );
  const learning = opened.learn([late.node]);
  learning.catch(() => undefined);
  await systemClock.sleep(5);
  stop.abort(new Error('the process stops'));
  await expect(learning).rejects.toThrow(/stops|abort/);
});

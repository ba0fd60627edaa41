import { expect } from 'vitest';
import { toAddress } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import type { NodePresence, PresenceBoard, PresenceChange } from '../../src/ports/presence-board.ts';
import { type Disposable, type Feature, testFeatures } from './feature.ts';

/** A fresh board on which nodes last for a short time, and how time passes for it. */
export interface PresenceBoardHarness extends Disposable {
  readonly board: PresenceBoard;
  readonly lastsMs: number;
  readonly pass: (ms: number) => Promise<void>;
  /** How much time may pass until something that must come has come, in milliseconds. */
  readonly patienceMs: number;
}

function node(role: NodePresence['role'], digit: string, change: Partial<NodePresence> = {}): NodePresence {
  const address = toAddress(`0x${digit.repeat(40)}`);
  const startedAt = 1_700_000_000_000;
  return { role, address, models: [], version: '0.1.0', startedAt, host: 'a machine', pid: 7, ...change };
}

const router = node('router', 'a');
const miner = node('miner', 'b', { models: ['HuggingFaceTB/SmolLM2-1.7B', 'pebble'] });

async function passUntil(
  { pass, patienceMs }: PresenceBoardHarness,
  what: string,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  for (let passedMs = 0; !(await condition()); passedMs += 50) {
    if (passedMs > patienceMs) throw new Error(`let ${patienceMs} ms pass in vain: ${what}`);
    await pass(50);
  }
}

/** What a board promises. */
export const presenceBoardFeatureList: readonly Feature<PresenceBoardHarness>[] = [
  {
    name: 'lists who has said to be there, in order of role and address, with what they say',
    check: async ({ board }) => {
      expect(await board.list()).toEqual([]);
      const other = node('miner', '1');
      for (const one of [router, miner, other]) await board.announce(one);
      expect(await board.list()).toEqual([other, miner, router]);
    },
  },
  {
    name: 'keeps what a node said last',
    check: async ({ board }) => {
      await board.announce(miner);
      await board.announce({ ...miner, models: [], pid: 8 });
      expect(await board.list()).toEqual([{ ...miner, models: [], pid: 8 }]);
    },
  },
  {
    name: 'keeps a node with two roles as two',
    check: async ({ board }) => {
      const both = [miner, { ...miner, role: 'validator' as const }];
      for (const one of both) await board.announce(one);
      await board.withdraw('miner', miner.address);
      expect(await board.list()).toEqual(both.slice(1));
      await board.withdraw('miner', miner.address);
      await board.withdraw('oracle', miner.address);
    },
  },
  {
    name: 'takes off who has not been heard of for its time, and nobody who has',
    check: async (harness) => {
      const { board, lastsMs, pass } = harness;
      await board.announce(router);
      await board.announce(miner);
      for (let passedMs = 0; passedMs < 2 * lastsMs; passedMs += lastsMs / 4) {
        await pass(lastsMs / 4);
        await board.announce(miner);
        expect(await board.list()).toContainEqual(miner);
      }
      await passUntil(harness, 'the router to go', async () => (await board.list()).length === 1);
      expect(await board.list()).toEqual([miner]);
      await passUntil(harness, 'the miner to go', async () => (await board.list()).length === 0);
      await board.announce(router);
      expect(await board.list()).toEqual([router]);
    },
  },
  {
    name: 'tells a watcher who is there, who comes, changes, leaves and is not heard of any more',
    check: async (harness) => {
      const { board } = harness;
      await board.announce(router);
      const changes: PresenceChange[] = [];
      const watch = board.watch((change) => void changes.push(change));
      const changed = { ...miner, models: ['pebble'] };
      await passUntil(harness, 'the first', () => changes.length === 1);
      await board.announce(miner);
      await passUntil(harness, 'the second', () => changes.length === 2);
      await board.announce(changed);
      await passUntil(harness, 'the change', () => changes.some(({ node: { models } }) => models.length === 1));
      await board.withdraw('miner', miner.address);
      await passUntil(harness, 'both to go', () => changes.filter(({ type }) => type === 'gone').length >= 2);
      const of = (role: string): PresenceChange[] => changes.filter(({ node: one }) => one.role === role);
      expect(of('miner')).toEqual([
        { type: 'here', node: miner },
        { type: 'here', node: changed },
        { type: 'gone', node: changed },
      ]);
      expect(of('router')).toEqual([
        { type: 'here', node: router },
        { type: 'gone', node: router },
      ]);
      await watch.close();
    },
  },
  {
    name: 'tells a watcher nothing twice, nothing once it is closed, and goes on after it has thrown',
    check: async (harness) => {
      const { board, pass } = harness;
      const told: string[] = [];
      const watch = board.watch(({ node: { role } }) => {
        told.push(role);
        if (role === 'router') throw new Error('the watcher of the test fails');
      });
      await board.announce(router);
      await passUntil(harness, 'the router', () => told.length === 1);
      await board.announce(router);
      await board.announce(miner);
      await passUntil(harness, 'the miner', () => told.length === 2);
      await watch.close();
      await board.announce(node('oracle', 'c'));
      await pass(2 * limits.presencePollMs);
      expect(told).toEqual(['router', 'miner']);
    },
  },
];

/** The contract of the PresenceBoard port. */
export function presenceBoardFeatures(name: string, make: () => Promise<PresenceBoardHarness>): void {
  testFeatures('presence board', name, presenceBoardFeatureList, make);
}

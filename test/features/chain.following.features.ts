import { expect } from 'vitest';
import type { Hex } from '../../src/core/hash.ts';
import { limits } from '../../src/core/limits.ts';
import type { ChainFact } from '../../src/ports/chain.ts';
import { assignTask, type ChainHarness, cor, effect, heardOf, listen, openSession } from './chain.harness.ts';
import { aMoment, eventually, type Feature } from './feature.ts';

function inChainOrder(facts: readonly ChainFact[]): boolean {
  return facts.every((fact, index) => {
    const before = facts[index - 1]?.place;
    if (before === undefined) return true;
    return (
      before.block < fact.place.block || (before.block === fact.place.block && before.logIndex < fact.place.logIndex)
    );
  });
}

function hashes(facts: readonly ChainFact[]): Hex[] {
  return facts.map(({ place }) => place.txHash);
}

/** Deposits so many times, one block each; returns the transactions. */
async function deposits({ chain, cast }: ChainHarness, count: number, name: string): Promise<Hex[]> {
  const session = await openSession({ chain, cast }, name);
  const sent: Hex[] = [];
  for (let index = 0; index < count; index += 1) {
    const call = { call: 'deposit', session, amountWei: cor(1) } as const;
    sent.push((await chain.send(cast.client, call, effect(`deposit-${name}-${index}`))).txHash);
  }
  return sent;
}

/** What a chain promises to those who follow it. */
export const followingFeatures: readonly Feature<ChainHarness>[] = [
  {
    name: 'tells a new follower everything from the deployment on, in chain order, each fact once',
    check: async (harness) => {
      const sent = await deposits(harness, 3, 'all');
      const heard = listen(harness.chain);
      await heardOf(heard, sent.at(-1) ?? '0x', harness.patienceMs);
      expect(heard.facts.filter(({ type }) => type === 'NodeRegistered')).toHaveLength(8);
      expect(inChainOrder(heard.facts)).toBe(true);
      expect(hashes(heard.facts).slice(-3)).toEqual(sent);
    },
  },
  {
    name: 'tells the end of a session after the end of its last task, in receipts too',
    check: async (harness) => {
      const { chain, cast } = harness;
      const heard = listen(chain);
      const session = await openSession(harness, 'drained');
      const { task } = await assignTask(harness, session, 'drained');
      await chain.send(cast.client, { call: 'closeSession', session }, effect('close-drained'));
      const receipt = await chain.send(cast.router, { call: 'cancel', task }, effect('cancel-drained'));
      await heardOf(heard, receipt.txHash, harness.patienceMs);
      const ends = ['TaskRefunded', 'SessionClosed'];
      expect(receipt.facts.map(({ type }) => type)).toEqual(ends);
      expect(heard.facts.slice(-3).map(({ type }) => type)).toEqual(['SessionDraining', ...ends]);
    },
  },
  {
    name: 'goes on from a cursor with what came after it',
    check: async (harness) => {
      const first = listen(harness.chain);
      const before = await deposits(harness, 2, 'before');
      await heardOf(first, before.at(-1) ?? '0x', harness.patienceMs);
      await first.subscription.close();
      const after = await deposits(harness, 2, 'after');
      const second = listen(await harness.reopen(), first.cursor);
      await heardOf(second, after.at(-1) ?? '0x', harness.patienceMs);
      expect(second.facts.map(({ type }) => type)).toEqual([
        'SessionOpened',
        'SessionDeposited',
        'SessionDeposited',
        'SessionDeposited',
      ]);
      expect(second.removed).toEqual([]);
    },
  },
  {
    name: 'feeds several followers, each from its own cursor',
    check: async (harness) => {
      const everything = listen(harness.chain);
      const before = await deposits(harness, 2, 'early');
      await heardOf(everything, before.at(-1) ?? '0x', harness.patienceMs);
      const late = listen(harness.chain, everything.cursor);
      const again = listen(harness.chain);
      const [sent] = await deposits(harness, 1, 'late');
      for (const heard of [everything, late, again]) await heardOf(heard, sent ?? '0x', harness.patienceMs);
      expect(again.facts).toEqual(everything.facts);
      expect(late.facts).toEqual(everything.facts.slice(-late.facts.length));
      expect(late.facts.map(({ type }) => type)).toEqual(['SessionOpened', 'SessionDeposited', 'SessionDeposited']);
    },
  },
  {
    name: 'tells a follower whose handler threw the same facts again',
    check: async (harness) => {
      const seen: Hex[][] = [];
      const subscription = harness.chain.follow(undefined, {
        onFacts: async (facts) => {
          seen.push(hashes(facts));
          if (seen.length === 1) throw new Error('not now');
        },
        onRemoved: async () => undefined,
      });
      await eventually('a second try', () => seen.length > 1, harness.patienceMs);
      expect(seen[1]).toEqual(seen[0]);
      await subscription.close();
    },
  },
  {
    name: 'tells a follower how far it has come, also where the blocks hold no facts',
    check: async (harness) => {
      let at = { head: 0, block: 0 };
      const subscription = harness.chain.follow(undefined, {
        onFacts: async () => undefined,
        onRemoved: async () => undefined,
        onProgress: (progress) => {
          expect(progress.block).toBeLessThanOrEqual(progress.head);
          at = progress;
        },
      });
      const { number } = await harness.chain.waitForBlock((await harness.chain.block()).number + 2);
      await eventually('the newest block', () => at.head >= number && at.block === at.head, harness.patienceMs);
      await subscription.close();
    },
  },
  {
    name: 'tells a closed follower nothing more',
    check: async (harness) => {
      const heard = listen(harness.chain);
      await eventually('the first facts', () => heard.facts.length > 0, harness.patienceMs);
      await heard.subscription.close();
      const count = heard.facts.length;
      await deposits(harness, 1, 'unheard');
      await aMoment(300);
      expect(heard.facts).toHaveLength(count);
    },
  },
  {
    name: 'takes back what a reorg of twelve blocks removed, newest first, and tells it anew',
    check: async (harness) => {
      const heard = listen(harness.chain);
      const sent = await deposits(harness, 12, 'reorg');
      await heardOf(heard, sent.at(-1) ?? '0x', harness.patienceMs);
      const told = [...heard.facts];
      await harness.reorg(12);
      await eventually('the removal', () => heard.removed.length >= 8, harness.patienceMs);
      const count = heard.removed.length;
      expect(heard.removed).toEqual(told.slice(-count).toReversed());
      await eventually('the same transactions', () => heard.facts.length === told.length + count, harness.patienceMs);
      expect(hashes(heard.facts.slice(told.length))).toEqual(hashes(told.slice(-count)));
      expect(heard.facts.slice(told.length).map(({ place }) => place.blockHash)).not.toEqual(
        told.slice(-count).map(({ place }) => place.blockHash),
      );
    },
  },
  {
    name: 'takes back what a reorg removed while nobody was looking',
    check: async (harness) => {
      const first = listen(harness.chain);
      const sent = await deposits(harness, 10, 'asleep');
      await heardOf(first, sent.at(-1) ?? '0x', harness.patienceMs);
      await first.subscription.close();
      const { cursor } = first;
      await harness.chain.close();
      await harness.reorg(9);
      const second = listen(await harness.reopen(), cursor);
      await eventually('the removal', () => second.removed.length >= 8, harness.patienceMs);
      expect(second.removed).toEqual(first.facts.slice(-second.removed.length).toReversed());
      expect(second.story[0]).toMatch(/^-/);
      await eventually('the rest', () => second.facts.length >= second.removed.length, harness.patienceMs);
      expect(hashes(second.facts)).toEqual(hashes(second.removed).toReversed());
    },
  },
  {
    name: 'takes back after a crash also what it had told and no cursor knows of',
    check: async (harness) => {
      const first = listen(harness.chain);
      const noted = await deposits(harness, 2, 'noted');
      await heardOf(first, noted.at(-1) ?? '0x', harness.patienceMs);
      const { cursor } = first;
      const unnoted = await deposits(harness, 6, 'unnoted');
      await heardOf(first, unnoted.at(-1) ?? '0x', harness.patienceMs);
      await first.subscription.close();
      await harness.chain.close();
      await harness.reorg(5);
      const second = listen(await harness.reopen(), cursor);
      await eventually('the removal', () => second.removed.length >= 4, harness.patienceMs);
      expect(second.removed).toEqual(first.facts.slice(-second.removed.length).toReversed());
      await heardOf(second, unnoted.at(-1) ?? '0x', harness.patienceMs);
      expect(second.story[0]).toMatch(/^-/);
      expect(hashes(second.facts).slice(-6)).toEqual(unnoted);
    },
  },
  {
    name: 'keeps a bounded number of recent blocks in the cursor, the newest of them last',
    check: async (harness) => {
      const heard = listen(harness.chain);
      const sent = await deposits(harness, limits.chainCursorHashesMax + 4, 'many');
      await heardOf(heard, sent.at(-1) ?? '0x', harness.patienceMs);
      const { block, recent } = heard.cursor ?? { block: 0, recent: [] };
      expect(recent.length).toBeLessThanOrEqual(limits.chainCursorHashesMax);
      expect(recent.length).toBeGreaterThan(limits.chainCursorHashesMax - 3);
      expect(recent.at(-1)?.number).toBe(block);
      expect(recent).toEqual(recent.toSorted((a, b) => a.number - b.number));
    },
  },
  {
    name: 'lives through an outage: says so, sends what was asked for, and misses nothing',
    check: async (harness) => {
      const { chain, cast } = harness;
      const session = await openSession(harness, 'outage');
      const heard = listen(chain);
      await eventually('the first facts', () => heard.facts.length > 0, harness.patienceMs);
      await harness.stopNode();
      await eventually('the outage', () => heard.outages.length === 1, harness.patienceMs);
      const call = { call: 'deposit', session, amountWei: cor(1) } as const;
      const sending = chain.send(cast.client, call, effect('in-the-dark'));
      await aMoment(200);
      await harness.startNode();
      const { txHash } = await sending;
      await heardOf(heard, txHash, harness.patienceMs);
      expect(heard.outages).toEqual(['down', 'up']);
      expect(heard.removed).toEqual([]);
    },
  },
];

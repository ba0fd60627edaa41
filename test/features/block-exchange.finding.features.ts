import { expect } from 'vitest';
import { contentCid } from '../../src/core/cid.ts';
import type { Cid } from '../../src/core/ids.ts';
import { blockRangeSubject, blockWantSubject } from '../../src/messages/subjects.ts';
import {
  type BlockExchangeHarness,
  blockOf,
  fetchFrom,
  hold,
  honestOffer,
  strangeHolder,
} from './block-exchange.harness.ts';
import { listen } from './bus.harness.ts';
import { aMoment, type Feature, gate } from './feature.ts';
import { pouwError } from './pouw-error.ts';

/** What an exchange promises where all processes do as they should. */
export const findingFeatures: readonly Feature<BlockExchangeHarness>[] = [
  {
    name: 'brings a block that another process holds',
    check: async (harness) => {
      const { cid, data } = blockOf({ prompt: 'hello' });
      hold(harness.join('alice'), { cid, data });
      expect(await fetchFrom(harness.join('bob'), cid, harness)).toEqual(data);
    },
  },
  {
    name: 'finds the one process of many that holds it',
    check: async (harness) => {
      const { cid, data } = blockOf({ held: 'by a third' });
      for (const name of ['alice', 'carol', 'dave', 'erin']) {
        const peer = harness.join(name);
        hold(peer, ...(name === 'dave' ? [{ cid, data }] : [blockOf({ held: name })]));
      }
      expect(await fetchFrom(harness.join('bob'), cid, harness)).toEqual(data);
    },
  },
  {
    name: 'waits for a process that comes later, although nobody listens yet',
    check: async (harness) => {
      const { cid, data } = blockOf({ held: 'later' });
      const fetched = fetchFrom(harness.join('bob'), cid, harness);
      await aMoment();
      hold(harness.join('alice'), { cid, data });
      expect(await fetched).toEqual(data);
    },
  },
  {
    name: 'waits for a process that comes to hold it a moment later',
    check: async (harness) => {
      const { cid, data } = blockOf({ put: 'later' });
      const held = new Map<Cid, Uint8Array>();
      const lookups: Cid[] = [];
      harness.join('alice').serve(async (wanted) => {
        lookups.push(wanted);
        return held.get(wanted);
      });
      const fetched = fetchFrom(harness.join('bob'), cid, harness);
      await aMoment();
      expect(lookups).toContain(cid);
      held.set(cid, data);
      expect(await fetched).toEqual(data);
    },
  },
  {
    name: 'fetches a block once for all who want it at the same time, and again for who wants it later',
    check: async (harness) => {
      const { cid, data } = blockOf({ wanted: 'by three' });
      hold(harness.join('alice'), { cid, data });
      const ranges = listen(harness.stranger, blockRangeSubject('alice', '*'));
      const bob = harness.join('bob');
      const blocks = await Promise.all([1, 2, 3].map(() => fetchFrom(bob, cid, harness)));
      expect(blocks).toEqual([data, data, data]);
      expect(ranges).toHaveLength(1);
      await fetchFrom(bob, cid, harness);
      expect(ranges).toHaveLength(2);
    },
  },
  {
    name: 'gives up with the reason of the signal, at once where it has been given before',
    check: async (harness) => {
      const bob = harness.join('bob');
      const wants = listen(harness.stranger, blockWantSubject('*', '*'));
      const abort = new AbortController();
      const fetched = bob.fetch(contentCid('nobody has it'), abort.signal);
      await aMoment();
      abort.abort(new Error('no longer wanted'));
      await expect(fetched).rejects.toThrow('no longer wanted');
      await aMoment();
      expect(wants.length).toBeGreaterThan(0);
      const asked = wants.length;
      await expect(bob.fetch(contentCid('nor this'), abort.signal)).rejects.toThrow('no longer wanted');
      // The search has ended too: the next want would have come within this time.
      await aMoment(150);
      expect(wants).toHaveLength(asked);
    },
  },
  {
    name: 'goes on for the others where one gives up',
    check: async (harness) => {
      const { cid, data } = blockOf({ wanted: 'by two' });
      const bob = harness.join('bob');
      const abort = new AbortController();
      const [one, other] = [bob.fetch(cid, abort.signal), fetchFrom(bob, cid, harness)];
      abort.abort(new Error('not me'));
      await expect(one).rejects.toThrow('not me');
      hold(harness.join('alice'), { cid, data });
      expect(await other).toEqual(data);
    },
  },
  {
    name: 'gives a block up in the middle of its transfer',
    check: async (harness) => {
      const block = blockOf({ given: 'up' });
      const asked = gate();
      strangeHolder(harness.stranger, 'mallory', { offer: honestOffer(block), answer: () => asked.open() });
      const abort = new AbortController();
      const fetched = harness.join('bob').fetch(block.cid, abort.signal);
      await asked.opened;
      abort.abort(new Error('enough'));
      await expect(fetched).rejects.toThrow('enough');
    },
  },
  {
    name: 'does not ask itself',
    check: async (harness) => {
      const { cid, data } = blockOf({ held: 'here only' });
      const alice = harness.join('alice');
      const lookups = hold(alice, { cid, data });
      await expect(alice.fetch(cid, AbortSignal.timeout(100))).rejects.toMatchObject({ name: 'TimeoutError' });
      expect(lookups).toEqual([]);
    },
  },
  {
    name: 'refuses what is not a CID of ours',
    check: async (harness) => {
      const other = 'bafyreigdmqpykrgxyaxtlafqpqhzrb7qy2rh75nldvfd4tucqmqqme5yje' as Cid;
      await expect(fetchFrom(harness.join('bob'), other, harness)).rejects.toEqual(pouwError('invalid_cid'));
    },
  },
  {
    name: 'serves until its server is closed, and can serve again',
    check: async (harness) => {
      const { cid, data } = blockOf({ served: true });
      const [alice, bob] = [harness.join('alice'), harness.join('bob')];
      const served = alice.serve(async () => data);
      expect(await fetchFrom(bob, cid, harness)).toEqual(data);
      await served.close();
      await expect(bob.fetch(cid, AbortSignal.timeout(100))).rejects.toMatchObject({ name: 'TimeoutError' });
      hold(alice, { cid, data });
      expect(await fetchFrom(bob, cid, harness)).toEqual(data);
    },
  },
  {
    name: 'lets a lookup end before its server is closed',
    check: async (harness) => {
      const { cid, data } = blockOf({ read: 'slowly' });
      const [begun, goOn] = [gate(), gate()];
      let ended = false;
      const served = harness.join('alice').serve(async () => {
        begun.open();
        await goOn.opened;
        ended = true;
        return data;
      });
      const abort = new AbortController();
      const fetched = harness.join('bob').fetch(cid, abort.signal);
      await begun.opened;
      const closed = served.close().then(() => ended);
      await aMoment();
      goOn.open();
      expect(await closed).toBe(true);
      abort.abort(new Error('over'));
      await expect(fetched).rejects.toThrow('over');
    },
  },
  {
    name: 'ends searches and its server when it is closed, and refuses everything afterwards',
    check: async (harness) => {
      const { cid, data } = blockOf({ closed: true });
      const [alice, bob] = [harness.join('alice'), harness.join('bob')];
      const lookups = hold(alice, { cid, data });
      const fetched = fetchFrom(alice, contentCid('nobody has it'), harness);
      await Promise.all([alice.close(), alice.close(), expect(fetched).rejects.toEqual(pouwError('content_closed'))]);
      await expect(fetchFrom(alice, cid, harness)).rejects.toEqual(pouwError('content_closed'));
      expect(() => alice.serve(async () => data)).toThrow(pouwError('content_closed'));
      await expect(bob.fetch(cid, AbortSignal.timeout(100))).rejects.toMatchObject({ name: 'TimeoutError' });
      expect(lookups).toEqual([]);
    },
  },
];

import { expect } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { bytes, type BusHarness, listen, text } from './bus.harness.ts';
import { aMoment, eventually, type Feature, gate } from './feature.ts';
import { pouwError } from './pouw-error.ts';

const queueGroups: readonly Feature<BusHarness>[] = [
  {
    name: 'gives a message to one member of each queue group and to all others',
    check: async ({ bus, patienceMs }) => {
      const [a1, a2, b, plain] = [
        listen(bus, 'x', 'a'),
        listen(bus, 'x', 'a'),
        listen(bus, 'x', 'b'),
        listen(bus, 'x'),
      ];
      for (let index = 0; index < 50; index++) bus.publish('x', bytes(index));
      await eventually('all', () => plain.length === 50 && b.length === 50 && a1.length + a2.length >= 50, patienceMs);
      await aMoment();
      expect([...a1, ...a2].toSorted()).toEqual(plain.toSorted());
      expect(b).toEqual(plain);
    },
  },
  {
    name: 'shares the work of a group among all its members',
    check: async ({ bus, patienceMs }) => {
      const members = Array.from({ length: 4 }, () => listen(bus, 'x.*', 'a'));
      for (let index = 0; index < 200; index++) bus.publish(`x.${index}`, bytes(index));
      const count = (): number => members.reduce((sum, heard) => sum + heard.length, 0);
      await eventually('all', () => count() === 200, patienceMs);
      for (const heard of members) expect(heard.length).toBeGreaterThan(20);
    },
  },
  {
    name: 'counts members with different patterns as one group',
    check: async ({ bus, patienceMs }) => {
      const [wide, exact] = [listen(bus, 'x.>', 'a'), listen(bus, 'x.y', 'a')];
      for (let index = 0; index < 40; index++) bus.publish('x.y', bytes(index));
      await eventually('all', () => wide.length + exact.length >= 40, patienceMs);
      await aMoment();
      expect(wide.length + exact.length).toBe(40);
    },
  },
  {
    name: 'gives the work of a member that leaves to those who stay',
    check: async ({ bus, patienceMs }) => {
      const left: string[] = [];
      const leaver = bus.subscribe('x', ({ data }) => void left.push(text(data)), { queue: 'a' });
      const stays = listen(bus, 'x', 'a');
      await leaver.close();
      for (let index = 0; index < 10; index++) bus.publish('x', bytes(index));
      await eventually('all', () => stays.length === 10, patienceMs);
      expect(left).toEqual([]);
    },
  },
];

const buffers: readonly Feature<BusHarness>[] = [
  {
    name: 'drops the oldest messages of a full buffer and tells the slow subscriber how many',
    check: async ({ bus, patienceMs }) => {
      const heard: string[] = [];
      const slow: number[] = [];
      const held = gate();
      bus.subscribe(
        'a',
        async ({ data }) => {
          heard.push(text(data));
          if (heard.length === 1) await held.opened;
        },
        { maxPending: 5, onSlow: (dropped) => void slow.push(dropped) },
      );
      const quick = listen(bus, 'a');
      bus.publish('a', bytes('held'));
      await eventually('the handler to hang', () => heard.length === 1, patienceMs);
      for (let index = 0; index < 12; index++) bus.publish('a', bytes(index));
      await eventually('the quick one', () => quick.length === 13, patienceMs);
      held.open();
      await eventually('the rest', () => heard.length === 6, patienceMs);
      await aMoment();
      expect(heard).toEqual(['held', '7', '8', '9', '10', '11']);
      expect(slow).toEqual([7]);
    },
  },
  {
    name: 'drops nothing up to the bound',
    check: async ({ bus, patienceMs }) => {
      const heard: string[] = [];
      const slow: number[] = [];
      bus.subscribe('a', ({ data }) => void heard.push(text(data)), {
        maxPending: 100,
        onSlow: (dropped) => void slow.push(dropped),
      });
      for (let index = 0; index < 100; index++) bus.publish('a', bytes(index));
      await eventually('all', () => heard.length === 100, patienceMs);
      expect(slow).toEqual([]);
    },
  },
];

const senders: readonly Feature<BusHarness>[] = [
  {
    name: 'takes of each sender what it may send at once, and tells how much more there was',
    check: async ({ bus, patienceMs }) => {
      const heard: string[] = [];
      const excess = new Map<string, number>();
      bus.subscribe('a.*.*', ({ subject }) => void heard.push(subject), {
        perSender: {
          perS: 0.01,
          atOnce: 10,
          onExcess: (sender, dropped) => void excess.set(sender, (excess.get(sender) ?? 0) + dropped),
        },
      });
      const all = listen(bus, 'a.>');
      for (let index = 0; index < 300; index++) bus.publish(`a.${index % 3}.loud`, bytes(index));
      for (let index = 0; index < 10; index++) bus.publish('a.0.calm', bytes(index));
      await eventually('all', () => all.length === 310, patienceMs);
      await eventually('what was taken', () => heard.length === 20, patienceMs);
      await aMoment();
      const of = (sender: string): number => heard.filter((subject) => subject.endsWith(`.${sender}`)).length;
      expect([of('loud'), of('calm'), heard.length]).toEqual([10, 10, 20]);
      await eventually('word of it', () => excess.size > 0, patienceMs + 2 * limits.busExcessMs);
      expect([...excess]).toEqual([['loud', 290]]);
    },
  },
  {
    name: 'lets a sender send on as time passes',
    check: async ({ bus, patienceMs }) => {
      const heard: string[] = [];
      bus.subscribe('a.*', ({ data }) => void heard.push(text(data)), { perSender: { perS: 100, atOnce: 1 } });
      for (let tries = 0; heard.length < 5 && tries < patienceMs / 5; tries += 1) {
        bus.publish('a.bob', bytes(tries));
        await aMoment(5);
      }
      expect(heard).toHaveLength(5);
    },
  },
];

const ends: readonly Feature<BusHarness>[] = [
  {
    name: 'calls no handler once its subscription is closed, and waits for the one that runs',
    check: async ({ bus, patienceMs }) => {
      let running = false;
      let calls = 0;
      const subscription = bus.subscribe('a', async () => {
        calls += 1;
        running = true;
        await aMoment(10);
        running = false;
      });
      for (let index = 0; index < 3; index++) bus.publish('a', bytes(index));
      await eventually('a running handler', () => running, patienceMs);
      await subscription.close();
      expect(running).toBe(false);
      bus.publish('a', bytes('late'));
      await aMoment();
      expect(calls).toBe(1);
    },
  },
  {
    name: 'handles what was published before a drain, then refuses more',
    check: async ({ bus, patienceMs }) => {
      const heard: string[] = [];
      bus.subscribe('a', async ({ data }) => {
        await aMoment(1);
        heard.push(text(data));
        if (text(data) === '0') bus.publish('b', bytes('from a handler'));
      });
      const other = listen(bus, 'b');
      for (let index = 0; index < 10; index++) bus.publish('a', bytes(index));
      await bus.drain();
      expect(heard).toHaveLength(10);
      await eventually('what a handler published', () => other.length === 1, patienceMs);
      expect(() => bus.publish('a', bytes(''))).toThrow(pouwError('bus_closed'));
      expect(() => bus.subscribe('a', () => undefined)).toThrow(pouwError('bus_closed'));
      await expect(bus.request('a', bytes(''), { timeoutMs: 100 })).rejects.toEqual(pouwError('bus_closed'));
      await bus.drain();
    },
  },
];

/** What a bus promises about queue groups, buffers and ends. */
export const subscribeFeatures: readonly Feature<BusHarness>[] = [...queueGroups, ...buffers, ...senders, ...ends];

import { expect } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { bytes, type BusHarness, listen, text } from './bus.harness.ts';
import { aMoment, eventually, type Feature } from './feature.ts';
import { pouwError } from './pouw-error.ts';

const badSubjects = ['', '.', 'a.', '.a', 'a..b', 'a b', 'a\tb', 'a.*', 'a.>', '*', '>', 'a.b*', '$SYS.a', 'a\u0000'];
const badPatterns = ['', '.', 'a.', 'a..b', 'a b', 'a.>.b', '>.a', 'a*', 'a.*b', 'a.>>', '$JS.>', 'a\n'];

/** What a bus promises about subjects, delivery and order. */
export const publishFeatures: readonly Feature<BusHarness>[] = [
  {
    name: 'delivers a message to every subscriber of its subject and to nobody else',
    check: async ({ bus, patienceMs }) => {
      const [one, two, other] = [listen(bus, 'hb.miner.a'), listen(bus, 'hb.miner.a'), listen(bus, 'hb.miner.b')];
      bus.publish('hb.miner.a', bytes('up'));
      await eventually('both', () => one.length === 1 && two.length === 1, patienceMs);
      await aMoment();
      expect([one, two, other]).toEqual([['hb.miner.a=up'], ['hb.miner.a=up'], []]);
    },
  },
  {
    name: 'takes * for one token and a last > for one or more',
    check: async ({ bus, patienceMs }) => {
      const patterns = ['a.*', 'a.>', '*.b', '>', 'a.*.c', 'a.b.c', 'a.*.>', 'a', '*'];
      const heard = patterns.map((pattern) => listen(bus, pattern));
      for (const subject of ['a', 'a.b', 'a.b.c', 'b.a']) bus.publish(subject, bytes('x'));
      const all = heard[patterns.indexOf('>')] ?? [];
      await eventually('the widest', () => all.length === 4, patienceMs);
      await aMoment();
      const subjects = heard.map((messages) => messages.map((message) => message.replace('=x', '')));
      expect(Object.fromEntries(patterns.map((pattern, index) => [pattern, subjects[index]]))).toEqual({
        'a.*': ['a.b'],
        'a.>': ['a.b', 'a.b.c'],
        '*.b': ['a.b'],
        '>': ['a', 'a.b', 'a.b.c', 'b.a'],
        'a.*.c': ['a.b.c'],
        'a.b.c': ['a.b.c'],
        'a.*.>': ['a.b.c'],
        a: ['a'],
        '*': ['a'],
      });
    },
  },
  {
    name: 'refuses malformed subjects and patterns',
    check: async ({ bus }) => {
      for (const subject of badSubjects) {
        expect(() => bus.publish(subject, bytes('x')), subject).toThrow(pouwError('invalid_subject'));
        await expect(bus.request(subject, bytes('x'), { timeoutMs: 50 }), subject).rejects.toEqual(
          pouwError('invalid_subject'),
        );
      }
      for (const pattern of badPatterns) {
        expect(() => bus.subscribe(pattern, () => undefined), pattern).toThrow(pouwError('invalid_subject'));
      }
    },
  },
  {
    name: 'takes subjects and messages at their bounds and refuses them beyond',
    check: async ({ bus, patienceMs }) => {
      const longest = 'x'.repeat(limits.busSubjectCharsMax);
      const largest = new Uint8Array(limits.busMessageBytesMax);
      const heard: number[] = [];
      bus.subscribe(longest, ({ data }) => void heard.push(data.length));
      bus.publish(longest, largest);
      await eventually('the largest', () => heard.length === 1, patienceMs);
      expect(heard).toEqual([limits.busMessageBytesMax]);
      expect(() => bus.publish(`${longest}x`, bytes(''))).toThrow(pouwError('invalid_subject'));
      expect(() => bus.subscribe(`${longest}x`, () => undefined)).toThrow(pouwError('invalid_subject'));
      const tooLarge = new Uint8Array(limits.busMessageBytesMax + 1);
      expect(() => bus.publish('a', tooLarge)).toThrow(pouwError('message_too_large'));
      await expect(bus.request(longest, tooLarge, { timeoutMs: 50 })).rejects.toEqual(pouwError('message_too_large'));
    },
  },
  {
    name: 'keeps the order of a publisher over all subjects of a subscriber',
    check: async ({ bus, patienceMs }) => {
      const heard: string[] = [];
      bus.subscribe('tok.>', ({ data }) => void heard.push(text(data)));
      const expected = Array.from({ length: 500 }, (_, index) => String(index));
      for (const number of expected) bus.publish(`tok.${Number(number) % 7}`, bytes(number));
      await eventually('all', () => heard.length === expected.length, patienceMs);
      expect(heard).toEqual(expected);
    },
  },
  {
    name: 'calls a handler with one message at a time',
    check: async ({ bus, patienceMs }) => {
      let running = 0;
      let most = 0;
      const heard: string[] = [];
      bus.subscribe('a', async ({ data }) => {
        running += 1;
        most = Math.max(most, running);
        await aMoment(Number(text(data)) % 2);
        heard.push(text(data));
        running -= 1;
      });
      for (let index = 0; index < 20; index++) bus.publish('a', bytes(index));
      await eventually('all', () => heard.length === 20, patienceMs);
      expect({ most, heard }).toEqual({ most: 1, heard: Array.from({ length: 20 }, (_, index) => String(index)) });
    },
  },
  {
    name: 'never calls a handler inside publish',
    check: async ({ bus, patienceMs }) => {
      const order: string[] = [];
      bus.subscribe('first', () => {
        bus.publish('second', bytes(''));
        order.push('first handled');
      });
      bus.subscribe('second', () => void order.push('second handled'));
      bus.publish('first', bytes(''));
      order.push('first published');
      await eventually('both', () => order.length === 3, patienceMs);
      expect(order).toEqual(['first published', 'first handled', 'second handled']);
    },
  },
  {
    name: 'gives each subscriber bytes of its own, as they were when they were published',
    check: async ({ bus, patienceMs }) => {
      const heard: string[] = [];
      for (let subscriber = 0; subscriber < 3; subscriber++) {
        bus.subscribe('a', ({ data }) => {
          heard.push(text(data));
          data.fill(0);
        });
      }
      const reused = Buffer.from('as published');
      bus.publish('a', reused);
      reused.fill('x');
      await eventually('all', () => heard.length === 3, patienceMs);
      expect(heard).toEqual(['as published', 'as published', 'as published']);
      expect(reused.toString()).toBe('x'.repeat(12));
    },
  },
  {
    name: 'goes on after a handler has thrown or rejected, and reports it',
    check: async ({ bus, errors, patienceMs }) => {
      const heard: string[] = [];
      bus.subscribe('a', ({ data }) => {
        heard.push(text(data));
        if (text(data) === '1') throw new Error('thrown');
        return text(data) === '2' ? Promise.reject(new Error('rejected')) : undefined;
      });
      const other = listen(bus, 'a');
      for (const number of [1, 2, 3]) bus.publish('a', bytes(number));
      await eventually('all', () => heard.length === 3 && other.length === 3, patienceMs);
      expect(errors).toMatchObject([{ message: 'thrown' }, { message: 'rejected' }]);
    },
  },
];

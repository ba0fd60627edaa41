import { expect } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import type { Bus, BusHeaders } from '../../src/ports/bus.ts';
import { bytes, type BusHarness } from './bus.harness.ts';
import { eventually, type Feature } from './feature.ts';
import { pouwError } from './pouw-error.ts';

const badNames = ['', ' a', 'a b', 'a:b', 'ä', '_a', '-a', 'Nats-Msg-Id', 'nats-x', 'a\r\nb', '__proto__'];
const badValues = [' a', 'a ', 'a\nb', 'a\r\nb: c', 'ä', '\t', '\u007f'];

function listen(bus: Bus, pattern: string): (BusHeaders | undefined)[] {
  const heard: (BusHeaders | undefined)[] = [];
  bus.subscribe(pattern, ({ headers, respond }) => {
    heard.push(headers);
    respond(bytes(''));
  });
  return heard;
}

/** What a bus promises about what travels beside the data of a message. */
export const headerFeatures: readonly Feature<BusHarness>[] = [
  {
    name: 'carries headers beside the data of messages and requests',
    check: async ({ bus, patienceMs }) => {
      const heard = listen(bus, 'a');
      const headers = { traceparent: '00-4bf9-00f0-01', 'X_odd-Name1': 'a: b, "c"=%d', constructor: 'x', empty: '' };
      bus.publish('a', bytes('1'), { headers });
      await bus.request('a', bytes('2'), { headers: { tracestate: 'vendor=1' }, timeoutMs: patienceMs });
      bus.publish('a', bytes('3'));
      bus.publish('a', bytes('4'), { headers: {} });
      await eventually('all', () => heard.length === 4, patienceMs);
      expect(heard.slice(0, 3)).toEqual([headers, { tracestate: 'vendor=1' }, undefined]);
      expect(heard[3] ?? {}).toEqual({});
    },
  },
  {
    name: 'gives headers as they were when they were published',
    check: async ({ bus, patienceMs }) => {
      const [one, two] = [listen(bus, 'a'), listen(bus, 'a')];
      const headers = { trace: 'as published' };
      bus.publish('a', bytes(''), { headers });
      headers.trace = 'changed';
      await eventually('both', () => one.length === 1 && two.length === 1, patienceMs);
      expect([...one, ...two]).toEqual([{ trace: 'as published' }, { trace: 'as published' }]);
    },
  },
  {
    name: 'refuses headers that cannot be carried',
    check: async ({ bus }) => {
      const refused = pouwError('invalid_headers');
      const bad = [
        ...badNames.map((name): BusHeaders => Object.fromEntries([[name, 'x']])),
        ...badValues.map((value) => ({ a: value })),
        { trace: 'x', Trace: 'y' },
      ];
      for (const headers of bad) {
        expect(() => bus.publish('a', bytes(''), { headers }), JSON.stringify(headers)).toThrow(refused);
      }
      const asked = bus.request('a', bytes(''), { headers: { a: ' ' }, timeoutMs: 50 });
      await expect(asked).rejects.toEqual(refused);
    },
  },
  {
    name: 'takes headers at their bound beside the largest message and refuses them beyond',
    check: async ({ bus, patienceMs }) => {
      const heard = listen(bus, 'a');
      const largest = new Uint8Array(limits.busMessageBytesMax);
      const value = 'x'.repeat(limits.busHeaderBytesMax - 1);
      bus.publish('a', largest, { headers: { a: value } });
      await eventually('the largest', () => heard.length === 1, patienceMs);
      expect(heard).toEqual([{ a: value }]);
      expect(() => bus.publish('a', bytes(''), { headers: { ab: value } })).toThrow(pouwError('invalid_headers'));
    },
  },
  {
    name: 'carries as many headers as may be and refuses one more',
    check: async ({ bus, patienceMs }) => {
      const heard = listen(bus, 'a');
      const many = (count: number): BusHeaders =>
        Object.fromEntries(Array.from({ length: count }, (_, number) => [`h${number}`, `${number}`]));
      bus.publish('a', bytes(''), { headers: many(limits.busHeadersMax) });
      await eventually('the message', () => heard.length === 1, patienceMs);
      expect(heard).toEqual([many(limits.busHeadersMax)]);
      const more = { headers: many(limits.busHeadersMax + 1) };
      expect(() => bus.publish('a', bytes(''), more)).toThrow(pouwError('invalid_headers'));
    },
  },
];

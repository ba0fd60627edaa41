import { afterEach, describe, expect, test } from 'vitest';
import { limits } from '../../core/limits.ts';
import type { Bus } from '../../ports/bus.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { bytes, text } from '../../../test/features/bus.harness.ts';
import { eventually, gate } from '../../../test/features/feature.ts';
import { pouwError } from '../../../test/features/pouw-error.ts';
import { createLocalBus } from './local-bus.ts';

const buses: Bus[] = [];
afterEach(async () => {
  await Promise.all(buses.splice(0).map((bus) => bus.drain()));
});

function makeBus(options: Parameters<typeof createLocalBus>[0] = {}): Bus {
  const bus = createLocalBus(options);
  buses.push(bus);
  return bus;
}

describe('on a virtual clock', () => {
  test('a request times out when its time has come there, not before', async () => {
    const clock = new VirtualClock();
    const bus = makeBus({ clock });
    bus.subscribe('cmd', () => undefined);
    let outcome = 'waiting';
    bus.request('cmd', bytes(''), { timeoutMs: 3_600_000 }).catch((error: unknown) => {
      outcome = (error as { code: string }).code;
    });
    await clock.advance(3_599_999);
    expect(outcome).toBe('waiting');
    await clock.advance(1);
    expect(outcome).toBe('request_timeout');
  });

  test('deliveries run when the scheduler of the simulator says so, in the order of publishing', () => {
    const waiting: (() => void)[] = [];
    const bus = makeBus({ schedule: (run) => void waiting.push(run) });
    const heard: string[] = [];
    for (const name of ['one', 'two']) bus.subscribe('a', ({ data }) => void heard.push(`${name} ${text(data)}`));
    bus.publish('a', bytes(1));
    bus.publish('a', bytes(2));
    expect(heard).toEqual([]);
    while (waiting.length > 0) waiting.shift()?.();
    expect(heard).toEqual(['one 1', 'one 2', 'two 1', 'two 2']);
  });

  test('an answered request leaves no timer behind', async () => {
    const clock = new VirtualClock();
    const bus = makeBus({ clock });
    bus.subscribe('cmd', ({ respond }) => respond(bytes('yes')));
    await bus.request('cmd', bytes(''), { timeoutMs: 1_000 });
    expect(clock.nextAt()).toBeUndefined();
  });
});

describe('bounds', () => {
  test('a buffer holds a bounded number of bytes too', async () => {
    const bus = makeBus();
    const held = gate();
    const slow: number[] = [];
    let count = 0;
    bus.subscribe(
      'a',
      async () => {
        count += 1;
        await held.opened;
      },
      { onSlow: (dropped) => void slow.push(dropped) },
    );
    const message = new Uint8Array(limits.busMessageBytesMax);
    const fits = limits.busPendingBytesMax / limits.busMessageBytesMax;
    bus.publish('a', message);
    await eventually('the handler to hang', () => count === 1, 5_000);
    for (let index = 0; index < fits + 3; index++) bus.publish('a', message);
    held.open();
    await eventually('the rest', () => count === 1 + fits, 5_000);
    expect(slow).toEqual([3]);
  });

  test('more subjects than are remembered are still delivered', async () => {
    const bus = makeBus();
    const subjects = limits.busMatchesCachedMax + 10;
    const heard = new Set<string>();
    bus.subscribe('a.*', ({ subject }) => void heard.add(subject));
    for (let index = 0; index < subjects; index++) bus.publish(`a.${index}`, bytes(''));
    for (let index = 0; index < subjects; index++) bus.publish(`b.${index}`, bytes(''));
    await eventually('all', () => heard.size === subjects, 5_000);
    expect(heard.has(`a.${subjects - 1}`)).toBe(true);
  });

  test('a drain closes over a handler that hangs, and says so', async () => {
    const errors: unknown[] = [];
    const clock = new VirtualClock();
    const bus = createLocalBus({ clock, onError: (error) => void errors.push(error) });
    let called = false;
    bus.subscribe('a', () => {
      called = true;
      return new Promise(() => undefined);
    });
    bus.publish('a', bytes('1'));
    bus.publish('a', bytes('2'));
    await eventually('the handler to hang', () => called, 5_000);
    const drained = bus.drain();
    await clock.advance(limits.busDrainMsMax);
    await drained;
    expect(errors).toEqual([pouwError('bus_drain_timeout')]);
    expect(() => bus.publish('a', bytes(''))).toThrow(pouwError('bus_closed'));
  });

  test('no subscriber waits until another one has all its messages', async () => {
    const bus = makeBus();
    const order: string[] = [];
    bus.subscribe('busy', () => void order.push('busy'));
    bus.subscribe('quiet', () => void order.push('quiet'));
    for (let index = 0; index < 1_000; index++) bus.publish('busy', bytes(''));
    bus.publish('quiet', bytes(''));
    await eventually('all', () => order.length === 1_001, 5_000);
    expect(order.indexOf('quiet')).toBeLessThan(500);
  });
});

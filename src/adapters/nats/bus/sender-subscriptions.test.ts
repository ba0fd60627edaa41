import type { Subscription } from 'nats';
import { beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../../../core/limits.ts';
import { VirtualClock } from '../../../sim/virtual-clock.ts';
import { SenderSubscriptions } from './sender-subscriptions.ts';

let clock: VirtualClock;
let open: Set<string>;
let known: string[];

beforeEach(() => {
  clock = new VirtualClock({ startMs: 1_700_000_000_000 });
  open = new Set();
  known = ['ann', 'bob', 'cid', 'ann'];
});

function subscriptions(pattern = 'hb.*.*'): SenderSubscriptions {
  return new SenderSubscriptions({
    connection: { isClosed: () => false },
    clock,
    pattern,
    known: () => known,
    subscribe: (one) => {
      expect(open.has(one)).toBe(false);
      open.add(one);
      return { isClosed: () => false, unsubscribe: () => void open.delete(one) } as unknown as Subscription;
    },
  });
}

describe('a sender that floods', () => {
  test('is shut out, and all others are heard one by one, until its time is over', async () => {
    const all = subscriptions();
    expect([...open]).toEqual(['hb.*.*']);
    expect([all.shutOut('bob'), all.shutOut('bob')]).toEqual([true, false]);
    expect([...open]).toEqual(['hb.*.ann', 'hb.*.cid']);
    await clock.advance(limits.busShutOutMs - 1);
    expect(open.size).toBe(2);
    await clock.advance(1);
    expect([...open]).toEqual(['hb.*.*']);
  });

  test('does not let another one in with it', async () => {
    const all = subscriptions();
    all.shutOut('bob');
    await clock.advance(limits.busShutOutMs / 2);
    all.shutOut('cid');
    expect([...open]).toEqual(['hb.*.ann']);
    await clock.advance(limits.busShutOutMs / 2);
    expect([...open]).toEqual(['hb.*.ann', 'hb.*.bob']);
    all.close();
    expect(open.size).toBe(0);
    await clock.advance(limits.busShutOutMs);
    expect(open.size).toBe(0);
  });

  test('is heard on where the pattern names no sender, or where there are too many others', () => {
    expect(subscriptions('a.b').shutOut('b')).toBe(false);
    known = Array.from({ length: limits.busSendersApartMax + 2 }, (_, index) => `n${index}`);
    const all = subscriptions();
    expect(all.shutOut('n0')).toBe(false);
    expect([...open]).toEqual(['a.b', 'hb.*.*']);
    known.pop();
    expect(all.shutOut('n0')).toBe(true);
    expect(open.size).toBe(1 + limits.busSendersApartMax);
  });

  test('cannot have everybody heard under its name', () => {
    known = ['*', '>', 'ann'];
    subscriptions().shutOut('bob');
    expect([...open]).toEqual(['hb.*.ann']);
  });
});

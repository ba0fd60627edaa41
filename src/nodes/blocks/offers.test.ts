import { describe, expect, test } from 'vitest';
import { limits } from '../../core/limits.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { Offers } from './offers.ts';
import { Suspects } from './suspects.ts';

const never = new AbortController().signal;

function make(): { clock: VirtualClock; suspects: Suspects; offers: Offers } {
  const clock = new VirtualClock();
  const suspects = new Suspects();
  return { clock, suspects, offers: new Offers(clock, suspects) };
}

describe('offers', () => {
  test('come in the order in which they were made, one of each holder', async () => {
    const { offers } = make();
    for (const holder of ['alice', 'bob', 'alice']) offers.add({ holder, size: 1 });
    const taken = [await offers.next(0, never), await offers.next(0, never), await offers.next(0, never)];
    expect(taken.map((offer) => offer?.holder)).toEqual(['alice', 'bob', undefined]);
  });

  test('are waited for, but not beyond the time', async () => {
    const { clock, offers } = make();
    const first = offers.next(100, never);
    await clock.advance(99);
    offers.add({ holder: 'alice', size: 1 });
    expect(await first).toEqual({ holder: 'alice', size: 1 });
    let outcome: unknown = 'waiting';
    void offers.next(100, never).then((offer) => (outcome = offer));
    await clock.advance(0);
    expect(outcome).toBe('waiting');
    await clock.advance(1);
    expect(outcome).toBeUndefined();
    expect(clock.nextAt()).toBeUndefined();
  });

  test('of suspects are left until the time is over', async () => {
    const { clock, suspects, offers } = make();
    suspects.add('mallory');
    offers.add({ holder: 'mallory', size: 1 });
    const first = offers.next(100, never);
    await clock.advance(50);
    offers.add({ holder: 'alice', size: 1 });
    expect((await first)?.holder).toBe('alice');
    const second = offers.next(100, never);
    await clock.advance(49);
    let isWaiting = true;
    void second.then(() => (isWaiting = false));
    await clock.advance(0);
    expect(isWaiting).toBe(true);
    await clock.advance(1);
    expect((await second)?.holder).toBe('mallory');
  });

  test('are not waited for when the signal says so', async () => {
    const { clock, offers } = make();
    const abort = new AbortController();
    const next = offers.next(100, abort.signal);
    abort.abort(new Error('enough'));
    await expect(next).rejects.toThrow('enough');
    await expect(offers.next(0, abort.signal)).rejects.toThrow('enough');
    expect(clock.nextAt()).toBeUndefined();
  });

  test('are kept up to a bound', async () => {
    const { offers } = make();
    for (let index = 0; index <= limits.blockOffersMax; index += 1) offers.add({ holder: `peer-${index}`, size: 1 });
    let taken = 0;
    while ((await offers.next(0, never)) !== undefined) taken += 1;
    expect(taken).toBe(limits.blockOffersMax);
  });
});

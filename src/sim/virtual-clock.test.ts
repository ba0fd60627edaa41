import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VirtualClock } from './virtual-clock.ts';

describe('a virtual clock', () => {
  test('stands still by itself', async () => {
    const clock = new VirtualClock({ startMs: 5 });
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(clock.now()).toBe(5);
  });

  test('runs timers at their own times, those of one moment in the order in which they were set', async () => {
    const clock = new VirtualClock();
    const ran: string[] = [];
    for (const [name, ms] of [
      ['c', 20],
      ['a', 10],
      ['b', 10],
      ['d', 31],
    ] as const) {
      clock.at(ms, () => void ran.push(`${name} at ${clock.now()}`));
    }
    await clock.advance(30);
    expect(ran).toEqual(['a at 10', 'b at 10', 'c at 20']);
    expect([clock.now(), clock.nextAt()]).toEqual([30, 31]);
  });

  test('lets what a timer set off finish before time moves on', async () => {
    const clock = new VirtualClock();
    const seen: number[] = [];
    const tick = async (): Promise<void> => {
      for (let count = 0; count < 5; count++) {
        await clock.sleep(10);
        seen.push(clock.now());
      }
    };
    const ticking = tick();
    await clock.advance(50);
    await ticking;
    expect(seen).toEqual([10, 20, 30, 40, 50]);
  });

  test('is advanced by one caller at a time, and never back', async () => {
    const clock = new VirtualClock();
    const first = clock.advance(10);
    await expect(clock.advance(10)).rejects.toThrow('one caller');
    await first;
    await expect(clock.advance(-1)).rejects.toThrow('backwards');
  });

  test('runs what is due and not forgotten, sorted, whatever was set', async () => {
    const timers = fc.array(fc.record({ atMs: fc.nat(100), forgotten: fc.boolean() }), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(timers, fc.nat(120), async (set, untilMs) => {
        const clock = new VirtualClock({ settle: () => Promise.resolve() });
        const ran: number[] = [];
        const disposers = set.map(({ atMs }, index) => clock.at(atMs, () => void ran.push(index)));
        disposers.forEach((forget, index) => set[index]?.forgotten === true && forget());
        await clock.advance(untilMs);
        const due = set
          .map((timer, index) => ({ ...timer, index }))
          .filter(({ atMs, forgotten }) => atMs <= untilMs && !forgotten)
          .toSorted((a, b) => a.atMs - b.atMs || a.index - b.index);
        expect(ran).toEqual(due.map(({ index }) => index));
      }),
    );
  });
});

import { expect, it } from 'vitest';
import { VirtualClock } from '../sim/virtual-clock.ts';
import { banner, endsInTime } from './node-run.ts';

it('a node says what it is in two columns, whatever its longest word is', () => {
  expect(banner('router', { ready: { address: '0x1', scheduling: 'preassigned' } })).toBe(
    'The router is up.\n\n  address     0x1\n  scheduling  preassigned\n',
  );
  // As docs/node-operator.md shows it.
  expect(banner('oracle', { ready: { address: '0x1' } })).toBe('The oracle is up.\n\n  address   0x1\n');
});

it('a node that stops has its drain and 5 s more, and as long again as it must not be left', async () => {
  const wait = async (waitsUntil: (now: number) => number, endsAt: number) => {
    const clock = new VirtualClock({ startMs: 0 });
    const ending = endsAt === Infinity ? new Promise<void>(() => {}) : clock.sleep(endsAt);
    let ended: boolean | undefined;
    const node = { waitsUntil: () => waitsUntil(clock.now()) };
    void endsInTime(node, ending, 1_000, clock).then((has) => (ended = has));
    const at: [number, boolean | undefined][] = [];
    for (const ms of [5_999, 6_001, 24_999, 25_001]) {
      await clock.advance(ms - clock.now());
      at.push([ms, ended]);
    }
    return at.map(([, has]) => has);
  };
  expect(await wait(() => 0, Infinity)).toEqual([undefined, false, false, false]);
  expect(await wait(() => 0, 5_000)).toEqual([true, true, true, true]);
  // It waits for reveals until 20 s at most.
  expect(await wait(() => 20_000, Infinity)).toEqual([undefined, undefined, undefined, false]);
  expect(await wait(() => 20_000, 24_000)).toEqual([undefined, undefined, true, true]);
  // What it waited for came at 2 s, and then it does not close: it has 5 s from there.
  expect(await wait((now) => (now < 2_000 ? 20_000 : 2_000), Infinity)).toEqual([undefined, undefined, false, false]);
});

import { describe, expect, test } from 'vitest';
import { router, session, task } from '../../../test/actors/chain-facts.ts';
import { PouwError } from '../../core/errors.ts';
import type { EffectId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import type { CarryBody } from '../../messages/carry.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { Changes } from './changes.ts';
import { type CarriedBy, leaveToRouter } from './leave-to-router.ts';

const part = { is: 'reveal', session, task, step: 0, attempt: 0 } as CarryBody;

/** A part that is left to a router which answers, or does not. */
function leave({
  dueInMs = 1_000_000,
  answer = async () => {},
}: { dueInMs?: number; answer?: () => Promise<void> } = {}) {
  const clock = new VirtualClock({ startMs: 1_000 });
  const changes = new Changes();
  const stop = new AbortController();
  const asked: unknown[] = [];
  const said: string[] = [];
  let isDone = false;
  let ended: boolean | string | undefined;
  const log = {
    debug: () => {},
    info: (m: string) => said.push(m),
    warn: (m: string) => said.push(m),
    error: () => {},
  };
  const base = {
    ports: { clock, log },
    command: async (...[role, node, verb, id, body]: unknown[]) => {
      asked.push([role, node, verb, id, body]);
      await answer();
    },
  } as unknown as CarriedBy['base'];
  const carried = { id: 'x:1:0' as EffectId, part, router, dueBy: 1_000 + dueInMs, isDone: () => isDone };
  const run = async (): Promise<void> => {
    try {
      ended = await leaveToRouter({ base, changes }, carried, stop.signal);
    } catch (error) {
      ended = error instanceof Error ? error.name : 'thrown';
    }
  };
  void run();
  return {
    clock,
    asked,
    said,
    stop,
    ended: () => ended,
    done: () => {
      isDone = true;
      changes.tell();
    },
  };
}

describe('a part that is left to a router', () => {
  test('is offered at once, and over as soon as the chain has it', async () => {
    const { clock, asked, done, ended } = leave();
    await clock.advance(10);
    expect(asked).toEqual([['router', router, 'carry', 'x:1:0', part]]);
    expect(ended()).toBeUndefined();
    done();
    await clock.advance(0);
    expect(ended()).toBe(true);
  });

  test('is said again each second, for who has forgotten it', async () => {
    const { clock, asked, done } = leave();
    await clock.advance(limits.carryAgainMs * 3 + 10);
    expect(asked).toHaveLength(4);
    done();
    await clock.advance(5_000);
    expect(asked).toHaveLength(4);
  });

  test('is its own again at the bound', async () => {
    const { clock, ended, said } = leave();
    await clock.advance(limits.carryPatienceMsMax - 1);
    expect(ended()).toBeUndefined();
    await clock.advance(2);
    expect(ended()).toBe(false);
    expect(said).toEqual(['a router has not carried a part in time']);
  });

  test('is its own again when half of its time is over, where that is sooner', async () => {
    const { clock, ended } = leave({ dueInMs: 4_000 });
    await clock.advance(1_999);
    expect(ended()).toBeUndefined();
    await clock.advance(2);
    expect(ended()).toBe(false);
  });

  test('is not offered at all once its time is over', async () => {
    for (const dueInMs of [0, -5_000]) {
      const { clock, asked, ended } = leave({ dueInMs });
      await clock.advance(0);
      expect(ended()).toBe(false);
      expect(asked).toEqual([]);
    }
  });

  test('is its own at once where the router refuses, is dead or is another', async () => {
    for (const code of ['no_responders', 'not_owner', 'carry_full', 'request_timeout']) {
      const { clock, ended, asked } = leave({
        answer: async () => {
          throw new PouwError(code, 'no');
        },
      });
      await clock.advance(0);
      expect(ended()).toBe(false);
      expect(asked).toHaveLength(1);
    }
  });

  test('that was brought while the router refused is done', async () => {
    let bring = (): void => {};
    const made = leave({
      answer: async () => {
        await Promise.resolve();
        bring();
        throw new PouwError('carry_not_expected', 'no');
      },
    });
    bring = made.done;
    await made.clock.advance(0);
    expect(made.ended()).toBe(true);
    expect(made.said).toEqual([]);
  });

  test('is given up when the node stops', async () => {
    const { clock, stop, ended } = leave();
    await clock.advance(10);
    stop.abort();
    await clock.advance(0);
    expect(ended()).toBe('AbortError');
  });
});

test('a change wakes who waits, and only once', async () => {
  const clock = new VirtualClock({ startMs: 0 });
  const changes = new Changes();
  const woken: number[] = [];
  const { signal } = new AbortController();
  void changes.wait(clock, 1_000, signal).then(() => woken.push(clock.now()));
  await clock.advance(100);
  changes.tell();
  await clock.advance(0);
  void changes.wait(clock, 1_000, signal).then(() => woken.push(clock.now()));
  await clock.advance(5_000);
  expect(woken).toEqual([100, 1_100]);
});

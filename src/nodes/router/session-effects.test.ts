import { describe, expect, test } from 'vitest';
import { emptySession } from '../../../actors/session/context.ts';
import { hasEnded } from '../../../actors/session/tasks.ts';
import type { SendJob } from '../../../actors/task/effects.ts';
import type { TaskEvent } from '../../../actors/task/events.ts';
import { alice, bob, bytes32, prompt, session, task } from '../../../test/actors/chain-facts.ts';
import { detours, good, submitted } from '../../../test/actors/samples/task.ts';
import { bound, committed, executing, given, working } from '../../../test/actors/task-run.ts';
import { PouwError } from '../../core/errors.ts';
import type { Effect } from '../../core/effect.ts';
import { type Address, type EffectId, streamId } from '../../core/ids.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { sessionEffects, type SessionRuntime } from './session-effects.ts';

describe('miners that are chosen for a task', () => {
  /** Assigns a task to alice and bob. @returns what is told to the session, and the calls that are sent. */
  async function assign({ draining, accepts }: { draining: readonly Address[]; accepts: readonly Address[] }) {
    const folded = given(submitted, good.queued, good.selected);
    const sent: string[] = [];
    const told: unknown[] = [];
    const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
    const runtime = {
      base: {
        ports: { clock: new VirtualClock({ startMs: 1_000 }), chain: { isSigned: async () => true }, log },
        stopping: new AbortController().signal,
        ask: async (_: string, miner: Address) => {
          if (accepts.includes(miner)) return { signature: { r: bytes32(1), vs: bytes32(2) } };
          throw new PouwError('miner_draining', 'It stops.');
        },
        send: async ({ call }: { call: string }) => void sent.push(call),
      },
      presence: { isDraining: (miner: Address) => draining.includes(miner) },
      session: async () => ({ value: 'open', context: { ...emptySession, tasks: { [task]: folded } } }),
      dispatch: async (_: string, command: unknown) => void told.push(command),
    } as unknown as SessionRuntime;
    const { type: _, ...selected } = good.selected;
    const effect = { kind: 'assignOnChain', ...selected, selectionDigest: bytes32(3) } as unknown as Effect;
    const signal = new AbortController().signal;
    const context = { id: 'x:1:0' as EffectId, stream: streamId('session', session), signal };
    await sessionEffects(runtime, async () => false)['assignOnChain']?.(effect, context);
    return { sent, told };
  }

  test('are others where one that drains has not accepted', async () => {
    const { sent, told } = await assign({ draining: [bob], accepts: [alice] });
    expect(sent).toEqual([]);
    expect(told).toMatchObject([
      { type: 'TaskEffectFailed', effect: 'assignOnChain', reason: `MinerDraining(${bob})` },
    ]);
  });

  test('get it where one that drains has accepted before, or one that refuses does not drain', async () => {
    for (const asked of [
      { draining: [bob], accepts: [alice, bob] },
      { draining: [], accepts: [alice] },
    ])
      expect(await assign(asked)).toEqual({ sent: ['assign'], told: [] });
  });
});

/** Carries out once the effect of handing a dead miner its job, of a task with this history. @returns the code it fails with. */
async function sendTo(
  history: readonly TaskEvent[],
  attempt = 0,
): Promise<{ asked: number; code: string | undefined }> {
  const folded = given(...history);
  const of = hasEnded(folded) ? { tasks: {}, ended: [folded] } : { tasks: { [task]: folded }, ended: [] };
  let asked = 0;
  const runtime = {
    base: {
      command: async () => {
        asked += 1;
        throw new PouwError('no_responders', 'Nobody listens.');
      },
    },
    feeds: { get: () => undefined },
    session: async () => ({ value: 'open', context: { ...emptySession, ...of } }),
  } as unknown as SessionRuntime;
  const effect: SendJob = { kind: 'sendJob', task, miner: bob, attempt, prompt, model: 'pebble-chat', maxTokens: 64 };
  const context = {
    id: 'x:1:0' as EffectId,
    stream: streamId('session', session),
    signal: new AbortController().signal,
  };
  const run = sessionEffects(runtime, async () => false)['sendJob']?.(effect, context);
  const code = await run?.then(
    () => undefined,
    (error: unknown) => (error instanceof PouwError ? error.code : 'thrown'),
  );
  return { asked, code };
}

describe('a job for a miner that is dead', () => {
  test('is tried again as long as its slot may be waiting for it', async () => {
    for (const history of [working, [...working, good.ackedByBob], executing])
      expect(await sendTo(history)).toEqual({ asked: 1, code: 'no_responders' });
  });

  test('is done with once the task is over, whatever its slot had come to', async () => {
    const ends: readonly (readonly TaskEvent[])[] = [
      [...working, detours.failed],
      [...working, detours.failed, detours.refunded],
      [...executing, detours.failed, detours.refunded],
      [...committed, good.validated, good.settled],
    ];
    for (const history of ends) expect(await sendTo(history)).toEqual({ asked: 0, code: undefined });
  });

  test('is done with once its slot is that of another, or dropped, or bound', async () => {
    for (const history of [[...working, detours.timedOut], [...executing, good.precommittedByBob], bound])
      expect(await sendTo(history)).toEqual({ asked: 0, code: undefined });
    expect(await sendTo([...working, detours.timedOut, detours.dropped], 1)).toEqual({ asked: 0, code: undefined });
  });
});

describe('a submission that an allowance does not cover any more', () => {
  test.each([
    ['NotAllowed', 'router_may_not_submit'],
    ['AllowanceExpired', 'allowance_expired'],
    ['TaskLimitExceeded', 'allowance_task_limit'],
    ['AllowanceExceeded', 'allowance_exceeded'],
    ['InsufficientBalance', 'chain_reverted'],
  ])('and that the chain refuses with %s ends as %s', async (reason, code) => {
    const folded = given(submitted);
    const told: unknown[] = [];
    const runtime = {
      base: {
        ports: { chain: {}, log: { warn: () => {} } },
        send: async () => {
          throw new PouwError('chain_reverted', 'No.', { class: 'conflict', details: { reason } });
        },
      },
      session: async () => ({ value: 'open', context: { ...emptySession, tasks: { [task]: folded } } }),
      dispatch: async (_: string, command: unknown) => void told.push(command),
    } as unknown as SessionRuntime;
    const effect = { kind: 'submitOnChain', task } as unknown as Effect;
    const signal = new AbortController().signal;
    const context = { id: 'x:1:0' as EffectId, stream: streamId('session', session), signal };
    await sessionEffects(runtime, async () => false)['submitOnChain']?.(effect, context);
    expect(told).toEqual([{ type: 'TaskEffectFailed', task, effect: 'submitOnChain', code, reason }]);
  });
});

import { describe, expect, test } from 'vitest';
import { emptySession } from '../../../actors/session/context.ts';
import { hasEnded } from '../../../actors/session/tasks.ts';
import type { SendJob } from '../../../actors/task/effects.ts';
import type { TaskEvent } from '../../../actors/task/events.ts';
import { bob, prompt, session, task } from '../../../test/actors/chain-facts.ts';
import { detours, good } from '../../../test/actors/samples/task.ts';
import { bound, committed, executing, given, working } from '../../../test/actors/task-run.ts';
import { PouwError } from '../../core/errors.ts';
import { type EffectId, streamId } from '../../core/ids.ts';
import { sessionEffects, type SessionRuntime } from './session-effects.ts';

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

import { describe, expect, test } from 'vitest';
import { emptySession } from '../../../actors/session/context.ts';
import { taskAfter } from '../../../actors/session/tasks.ts';
import type { TaskContext } from '../../../actors/task/context.ts';
import { bytes32, session } from '../../../test/actors/chain-facts.ts';
import { detours, good, submitted } from '../../../test/actors/samples/task.ts';
import { PouwError } from '../../core/errors.ts';
import type { Folded } from '../../core/fold.ts';
import { type EffectId, streamId, type TaskId, taskId } from '../../core/ids.ts';
import { endStep, submitPlan } from './plan-effects.ts';
import type { SessionRuntime } from './session-effects.ts';

const plan = bytes32(9);
const ids = [1, 2].map((number) => taskId(session, bytes32(number)));
const [first, second] = ids as [TaskId, TaskId];
const context = { id: 'x:1:0' as EffectId, stream: streamId('session', session), signal: new AbortController().signal };

function step(place: number, onChain = false): Folded<TaskContext> {
  const after = place === 0 ? {} : { step: 1, after: [{ name: 'a', task: first }] };
  const of = { ...submitted, task: ids[place] as TaskId, requestId: bytes32(place + 1), ...after };
  const known = taskAfter(undefined, { ...of, plan: { id: plan, name: 'a', place } });
  return onChain ? taskAfter(known, { ...good.queued, task: ids[place] as TaskId }) : known;
}

const ended = (task: Folded<TaskContext>): Folded<TaskContext> => {
  const failed = taskAfter(task, { ...detours.failed, task: task.context.task });
  return taskAfter(failed, { ...detours.refunded, task: task.context.task, seen: null });
};

/** Carries an effect out; the chain refuses calls by the words given. */
async function carry(
  tasks: readonly Folded<TaskContext>[],
  refusals: Readonly<Record<string, string>>,
  run: (runtime: SessionRuntime) => Promise<void>,
) {
  const sent: { call: string; steps?: unknown }[] = [];
  const told: unknown[] = [];
  const open = tasks.filter(({ value }) => value === 'queued');
  const state = {
    ...emptySession,
    tasks: Object.fromEntries(open.map((task) => [task.context.task, task])),
    ended: tasks.filter(({ value }) => value !== 'queued'),
  };
  const runtime = {
    base: {
      ports: { log: { warn: () => {} }, chain: { submittedBlock: async () => 7 } },
      send: async (call: { call: string }) => {
        sent.push(call);
        const reason = refusals[call.call];
        if (reason !== undefined) throw new PouwError('chain_reverted', 'No.', { details: { reason } });
      },
    },
    session: async () => ({ value: 'open', context: state }),
    dispatch: async (_: string, command: unknown) => void told.push(command),
  } as unknown as SessionRuntime;
  await run(runtime);
  return { sent, told };
}

const submit = (runtime: SessionRuntime) =>
  submitPlan(runtime, { kind: 'submitPlanOnChain', task: first, plan }, session, context);
const end = (runtime: SessionRuntime) => endStep(runtime, { kind: 'endStepOnChain', task: second }, session, context);

describe('a plan', () => {
  test('goes to the chain in one call, parents first', async () => {
    const { sent, told } = await carry([step(1), step(0)], {}, submit);
    expect(sent).toMatchObject([
      {
        call: 'submitPlan',
        session,
        steps: [
          { requestId: bytes32(1), after: [] },
          { requestId: bytes32(2), after: [first] },
        ],
      },
    ]);
    expect(told).toEqual([]);
  });

  test('that is there is not sent again', async () => {
    expect((await carry([step(0, true), step(1, true)], {}, submit)).sent).toEqual([]);
  });

  test('comes to nothing as a whole where the chain refuses it, or one of its steps has come to nothing', async () => {
    const refused = await carry([step(0), step(1)], { submitPlan: 'NotSubmitter' }, submit);
    expect(refused.told).toMatchObject(
      ids.map((task) => ({ type: 'TaskEffectFailed', effect: 'submitOnChain', task, reason: 'NotSubmitter' })),
    );
    const rest = await carry([ended(step(0)), step(1)], {}, submit);
    expect(rest.sent).toEqual([]);
    expect(rest.told).toMatchObject([{ type: 'TaskEffectFailed', task: second }]);
  });

  test('one of whose ids the chain has had is asked about, and tried again until its facts are here', async () => {
    const told: unknown[] = [];
    const run = async (runtime: SessionRuntime): Promise<void> => {
      const dispatch = async (_: string, command: unknown): Promise<void> => void told.push(command);
      await expect(submit({ ...runtime, dispatch })).rejects.toMatchObject({
        code: 'submission_unseen',
      });
    };
    await carry([step(0), step(1)], { submitPlan: 'TaskExists' }, run);
    expect(told).toEqual(ids.map((task) => ({ type: 'SeeTaskExists', task, submittedBlock: 7 })));
  });
});

describe('a step that never begins', () => {
  test('is refunded by the chain’s own word, or else cancelled', async () => {
    expect((await carry([step(1, true)], {}, end)).sent).toMatchObject([{ call: 'refundStep', task: second }]);
    const { sent, told } = await carry([step(1, true)], { refundStep: 'NoParentRefunded' }, end);
    expect(sent.map(({ call }) => call)).toEqual(['refundStep', 'cancel']);
    expect(told).toEqual([]);
  });
});

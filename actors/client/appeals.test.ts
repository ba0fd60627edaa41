import { expect, test } from 'vitest';
import { ActorRun } from '../../test/actors/actor-run.ts';
import { bob, bytes32, client, fact, session } from '../../test/actors/chain-facts.ts';
import { clientStarted, contractGood } from '../../test/actors/samples/client.ts';
import { type Address, type TaskId, taskId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import { wei } from '../../src/core/wei.ts';
import { appealOf } from './appeal-list.ts';
import type { ClientContext } from './context.ts';
import type { ClientCommand } from './decide.ts';
import { clientActor } from './definition.ts';

const { requested, granted, closeRequested } = contractGood;
const { key } = requested;
const task = taskId(session, bytes32(1));

const given = () => new ActorRun<ClientContext, ClientCommand>(clientActor, [clientStarted, requested, granted]);
const ask = (of: TaskId = task): ClientCommand => ({ type: 'AppealOutcome', session, task: of });
const appealedBy = (appellant: Address, of: TaskId = task): ClientCommand => {
  const times = { bondWei: wei(10), drawBy: 1, attestBy: 2 };
  return { type: 'SeeFact', fact: fact(9, { type: 'OutcomeAppealed', session, task: of, appellant, ...times }) };
};
const refuse = (of: TaskId = task): ClientCommand => {
  const failed = { effect: 'appealOnChain', key, request: of, code: 'insufficient_cor', reason: 'poor' } as const;
  return { type: 'EffectFailed', ...failed };
};
const appeal = (run: ReturnType<typeof given>, of: TaskId = task) =>
  appealOf(run.state.context.sessions[key]!.context, of);

test('an appeal is asked for once, and made when the chain says so', () => {
  const run = given();
  expect(run.tell(ask()).effects).toEqual([{ kind: 'appealOnChain', key, session, task }]);
  expect(run.types(ask())).toEqual([]);
  expect(run.types(appealedBy(bob)), 'that is another’s').toEqual([]);
  expect(run.types(appealedBy(client))).toEqual(['AppealMade']);
  expect(run.types(appealedBy(client))).toEqual([]);
  expect(run.types(ask()), 'it was made').toEqual([]);
  expect(run.types(refuse()), 'it was made').toEqual([]);
  expect(appeal(run)).toEqual({ task, state: 'made', failure: null });
});

test('one that was refused may be asked for again, also while the session closes', () => {
  const run = given();
  run.tell(ask());
  expect(run.types(refuse())).toEqual(['AppealFailed']);
  expect(appeal(run)).toMatchObject({ state: 'failed', failure: { code: 'insufficient_cor' } });
  run.tell({ type: 'CloseSession', session: closeRequested.session });
  expect(run.types(ask())).toEqual(['AppealRequested']);
  expect(appeal(run)).toEqual({ task, state: 'requested', failure: null });
});

test('one of a session that the client does not have is refused', () => {
  const run = new ActorRun<ClientContext, ClientCommand>(clientActor, [clientStarted]);
  expect(run.tell(ask()).rejection).toMatchObject({ code: 'session_not_found' });
});

test('so many are under way at most, and so many others are remembered', () => {
  const run = given();
  run.checksJson = false;
  const tasks = Array.from({ length: limits.clientOpenRequestsMax }, (_, index) => taskId(session, bytes32(index + 1)));
  for (const one of tasks) expect(run.types(ask(one))).toEqual(['AppealRequested']);
  expect(run.tell(ask(taskId(session, bytes32(9_999)))).rejection).toMatchObject({ code: 'too_many_requests' });
  for (const one of tasks) run.tell(appealedBy(client, one));
  const made = (): number => run.state.context.sessions[key]!.context.appeals.length;
  for (let next = tasks.length; made() < limits.clientEndedKept && next < 5_000; next += 1) {
    const one = taskId(session, bytes32(next + 1));
    run.tell(ask(one));
    run.tell(refuse(one));
  }
  const before = made();
  const last = taskId(session, bytes32(10_000));
  run.tell(ask(last));
  run.tell(refuse(last));
  expect(before).toBe(limits.clientEndedKept);
  expect(made()).toBe(before);
  expect(appeal(run, tasks[0])).toBeUndefined();
  expect(appeal(run, last)).toMatchObject({ state: 'failed' });
});

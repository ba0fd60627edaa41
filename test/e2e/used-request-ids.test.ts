import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientActor } from '../../actors/client/definition.ts';
import type { SessionContext } from '../../actors/session/context.ts';
import type { SessionCommand } from '../../actors/session/decide.ts';
import { taskOf } from '../../actors/session/tasks.ts';
import type { Folded } from '../../src/core/fold.ts';
import { type Hex, hashJson, keccak256 } from '../../src/core/hash.ts';
import { type Cid, streamId, type TaskId, taskId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import { wei } from '../../src/core/wei.ts';
import type { Chain, ChainCall } from '../../src/ports/chain.ts';
import type { EmbedResult } from '../../src/ports/gateway-network.ts';
import { auditDeployment } from '../../src/adapters/chain/chain-audit.ts';
import { chainFaults } from '../kit/chain-faults.ts';
import { ask, chat, scratch, startTestNetwork, type TestNetwork } from '../kit/local-network.ts';
import { expectSameMoney } from '../kit/same-money.ts';

const place = scratch('used-ids');
const faults = chainFaults();
/** Submissions that a router has sent, refused ones too. */
let submissions: Extract<ChainCall, { call: 'submit' }>[] = [];
const watched = (chain: Chain): Chain => ({
  ...chain,
  send: (from, call, effect) => {
    if (call.call === 'submit') submissions.push(call);
    return chain.send(from, call, effect);
  },
});
const wrapChain = (chain: Chain): Chain => faults.wrap(watched(chain));

let on: TestNetwork;
beforeAll(async () => {
  on = await startTestNetwork(place.path, { wrapChain });
});
afterAll(async () => {
  await on?.network.stop(5_000);
  place.remove();
});

const question = 'What is a dog?';
const requestId = keccak256('used');
/** Where the chain was read to before the id was used, and the task that used it. */
let before: string;
let used: { readonly task: TaskId; readonly prompt: Cid; readonly text: string; readonly submittedAt: number };

const listId = keccak256('list');
/** Of two parts, the first of which is full. */
const texts = Array.from({ length: limits.embedTaskInputsMax + 1 }, (_, index) => `text ${index}`);
const embed = (some: readonly string[]): Promise<EmbedResult> => {
  const { session } = on.demo;
  const asked = { session, model: 'pebble-embed', texts: some, requestId: listId };
  return on.network.front.embed(asked, new AbortController().signal);
};
const never = new AbortController().signal;

const state = (): Promise<Folded<SessionContext>> => on.network.leader(on.demo.session).session(on.demo.session);
const tell = (command: SessionCommand): Promise<void> =>
  on.network.leader(on.demo.session).dispatch(on.demo.session, command, 'test');
const wish = (id: Hex, prompt: Cid, maxTokens: number): SessionCommand => ({
  type: 'SubmitTask',
  requestId: id,
  by: on.network.leader(on.demo.session).address,
  prompt,
  promptTokens: 1,
  maxTokens,
  maxPriceWei: null,
  onChain: null,
});

let ended = 0;
/** Ends one task after another that the chain never had, until the session has ended so many in all. */
async function endTasksUntil(count: number): Promise<void> {
  const heal = faults.cut((_, { call }) => call === 'submit');
  for (; ended < count; ended += 1) {
    const id = keccak256(`task ${ended}`);
    await tell(wish(id, used.prompt, 1));
    const task = taskId(on.demo.session, id);
    const failure = { code: 'chain_reverted', reason: 'for the test' } as const;
    await tell({ type: 'TaskEffectFailed', task, effect: 'submitOnChain', ...failure });
  }
  // What is on its way to the chain now must still be cut off.
  await on.network.leader(on.demo.session).base.host.idle();
  heal();
}

/** The id is the task's for good: the same request gets it, another one is refused. */
async function expectAnswered(): Promise<void> {
  const again = await ask(on, question, { requestId });
  expect(again.view).toMatchObject({ task: used.task, state: 'settled', text: used.text });
  await expect(ask(on, 'What is milk?', { requestId })).rejects.toMatchObject({ code: 'request_id_reused' });
  await expect(ask(on, question, { requestId, maxPriceWei: wei(10n ** 17n) })).rejects.toMatchObject({
    code: 'request_id_reused',
  });
  const repeated = await on.network.front.submit(chat(on, question, { requestId }), never);
  expect([repeated.created, repeated.submittedAt]).toEqual([false, used.submittedAt]);
  expect((await on.network.front.task(used.task))?.text).toBe(used.text);
  await expect(on.network.front.cancel(used.task, 'test')).rejects.toMatchObject({ code: 'task_not_cancellable' });
  expect((await embed(texts)).vectors).toHaveLength(texts.length);
  for (const others of [texts.slice(0, -1), [...texts, 'one more'], [...texts.slice(0, -1), 'another']])
    await expect(embed(others)).rejects.toMatchObject({ code: 'request_id_reused' });
}

describe('the request id of a task that has ended', () => {
  it('is answered from the state while that keeps the task: it is among the newest ended ones', async () => {
    before = (await on.network.stores.cursors.load('chain')) ?? '';
    const asked = Date.now();
    const { submittedAt } = await on.network.front.submit(chat(on, question, { requestId }), never);
    expect(submittedAt).toBeGreaterThanOrEqual(asked);
    expect(submittedAt).toBeLessThanOrEqual(Date.now());
    const { view } = await ask(on, question, { requestId });
    used = { task: view.task, prompt: view.prompt, text: view.text ?? '', submittedAt };
    await embed(texts);
    ended = 3;
    await endTasksUntil(limits.sessionEndedTasksKept);
    expect((await state()).context.ended).toHaveLength(limits.sessionEndedTasksKept);
    expect(taskOf((await state()).context, used.task)?.value).toBe('settled');
    await expectAnswered();
  });

  it('is answered from the log after one more, when the state has forgotten the task', async () => {
    await endTasksUntil(limits.sessionEndedTasksKept + 1);
    expect((await state()).context.ended).toHaveLength(limits.sessionEndedTasksKept);
    expect(taskOf((await state()).context, used.task)).toBeUndefined();
    await expectAnswered();
    await expectSameMoney(on);
  });

  it('is refused by the chain to a router that submits it past the front: its money comes back at once', async () => {
    await tell(wish(requestId, used.prompt, 7));
    expect((await state()).context.money.escrowedWei).not.toBe('0');
    await expect.poll(async () => (await state()).context.money.escrowedWei, { timeout: 20_000 }).toBe('0');
    const refused = taskOf((await state()).context, used.task);
    expect(refused).toMatchObject({ value: 'refunded', context: { failure: { code: 'request_id_reused' } } });
    await expectSameMoney(on);
    await expectAnswered();
  });

  it('is refused by the chain to the client too, whose session stays as it is', async () => {
    const { network, demo } = on;
    const stateBefore = hashJson(await state());
    const id = { session: demo.session, requestId };
    const maxPriceWei = wei(10n ** 17n);
    await network.client.dispatch(
      { type: 'SubmitTask', ...id, prompt: used.prompt, maxTokens: 7, maxPriceWei },
      'test',
    );
    const mine = async () => {
      const stream = streamId('client', network.client.address);
      const { sessions } = (await network.client.base.host.state(clientActor, stream)).state.context;
      return Object.values(sessions).find(({ context }) => context.session === demo.session)?.context.tasks[used.task];
    };
    await expect.poll(async () => (await mine())?.state, { timeout: 20_000 }).toBe('failed');
    expect((await mine())?.failure?.reason).toContain('TaskExists');
    expect(hashJson(await state())).toBe(stateBefore);
    await expectSameMoney(on);
  });
});

describe('a request that client and router submit at the same moment', () => {
  it('is one task: the router waits for the fact of the client’s submission', async () => {
    const { network, demo } = on;
    const id = keccak256('both');
    const task = taskId(demo.session, id);
    const release = faults.holdFacts();
    const maxPriceWei = wei(10n ** 17n);
    const both = { session: demo.session, requestId: id, prompt: used.prompt, maxTokens: 64, maxPriceWei } as const;
    await network.client.dispatch({ type: 'SubmitTask', ...both }, 'test');
    await expect.poll(() => network.ports.chain.submittedBlock(task), { timeout: 20_000 }).toBeDefined();
    submissions = [];
    await tell(wish(id, used.prompt, 64));
    // Refused twice and still waiting: an answer of the chain alone is no reason to give the money back.
    await expect.poll(() => submissions.length, { timeout: 20_000 }).toBeGreaterThan(1);
    expect(taskOf((await state()).context, task)?.value).toBe('queued');
    release();
    await expect.poll(async () => (await network.front.task(task))?.state, { timeout: 30_000 }).toBe('settled');
    const audit = await auditDeployment(network.rpcUrl, network.ports.chain.deployment);
    expect([audit.submitted.get(task), audit.endings.get(task)]).toEqual([1, ['TaskSettled']]);
    await expectSameMoney(on);
  });
});

describe('the request id of a task that never came onto the chain', () => {
  it('may be used there by the client: that task is another one, and is worked on', async () => {
    const { network, demo } = on;
    const id = keccak256(`task ${ended - 1}`);
    const task = taskId(demo.session, id);
    expect(await network.front.task(task)).toMatchObject({ state: 'refunded' });
    const maxPriceWei = wei(10n ** 17n);
    const request = { session: demo.session, requestId: id, prompt: used.prompt, maxTokens: 64, maxPriceWei } as const;
    await network.client.dispatch({ type: 'SubmitTask', ...request }, 'test');
    await expect.poll(async () => (await network.front.task(task))?.state, { timeout: 30_000 }).toBe('settled');
    expect((await network.front.task(task))?.text).toBe(used.text);
    const updates: string[] = [];
    for await (const update of network.front.watch(task, new AbortController().signal)) updates.push(update.type);
    expect(updates.at(-1)).toBe('verdict');
    await expectSameMoney(on);
  });
});

describe('facts of the chain that are told again', () => {
  it('do not bring a forgotten task back to life, nor pay for it again', async () => {
    await endTasksUntil(2 * limits.sessionEndedTasksKept);
    await on.network.settle();
    const stateBefore = await state();
    const newest = await on.network.stores.cursors.load('chain');
    await on.network.stores.cursors.save('chain', before);
    await on.network.stop(5_000);
    on = await startTestNetwork(place.path, { wrapChain });
    const { cursors } = on.network.stores;
    const block = (cursor: string | undefined): number =>
      (JSON.parse(cursor ?? '{"block":0}') as { block: number }).block;
    await expect
      .poll(async () => block(await cursors.load('chain')), { timeout: 30_000 })
      .toBeGreaterThanOrEqual(block(newest));
    expect(hashJson(await state())).toBe(hashJson(stateBefore));
    await expectSameMoney(on);
    await expectAnswered();
  });
});

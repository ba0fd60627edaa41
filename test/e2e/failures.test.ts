import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDemoSession } from '../../src/cli/compose/demo-session.ts';
import type { TermsOverrides } from '../../src/cli/compose/settings.ts';
import type { TaskState, TaskView } from '../../src/ports/task-views.ts';
import { askForStory, killReadMiner, ofMiner } from '../kit/dying-miner.ts';
import {
  ask,
  chat,
  scratch,
  shortDeadlines,
  startTestNetwork,
  type TestNetwork,
  type Watched,
} from '../kit/local-network.ts';
import { anvilPid } from '../kit/pouw-process.ts';
import { rpc } from '../kit/rpc.ts';
import { expectSameMoney, untilSameMoney } from '../kit/same-money.ts';

/** The same network, with another session of its client. */
async function withSession(on: TestNetwork, label: string, terms: TermsOverrides): Promise<TestNetwork> {
  const { network } = on;
  const demo = await openDemoSession(network, network.engine.model, label, { ...shortDeadlines, ...terms });
  return { network, demo };
}

/** Every state that a client was shown, and the places of the tokens. */
function shown({ updates }: Watched): { states: TaskState[]; places: number[] } {
  return {
    states: updates.flatMap((update) => (update.type === 'state' ? [update.state] : [])),
    places: updates.flatMap((update) => (update.type === 'token' ? [update.index] : [])),
  };
}

const place = scratch('failures');
let on: TestNetwork;

beforeAll(async () => {
  on = await startTestNetwork(place.path, {}, shortDeadlines);
});
afterAll(async () => {
  await on?.network.stop(5_000);
  place.remove();
});

describe('a chain', () => {
  /** Asks, and does something to the chain when the task has come to a state. */
  async function askAnd(question: string, state: TaskState, disturb: () => Promise<void>): Promise<TaskView> {
    const { front } = on.network;
    const { task, updates } = await front.submit(chat(on, question), new AbortController().signal);
    for await (const update of updates) {
      if (update.type === 'state' && update.state === state) await disturb();
    }
    return (await front.task(task)) as TaskView;
  }

  it('that hangs for seconds in mid-task is waited for', async () => {
    const pid = anvilPid(place.path);
    const view = await askAnd('Define water.', 'executing', async () => {
      process.kill(pid, 'SIGSTOP');
      await sleep(3_000);
      process.kill(pid, 'SIGCONT');
    });
    expect(view.state).toBe('settled');
    await expectSameMoney(on);
  });

  it.each([
    ['replaces its last 8 blocks', 'anvil_reorg', [8, []], 'executing'],
    ['replaces its last 8 blocks after a settlement', 'anvil_reorg', [8, []], 'settled'],
    ['forgets its last 8 blocks', 'anvil_rollback', [8], 'committed'],
  ] as const)('that %s leaves the money where the log says it is', async (_, method, depth, state) => {
    const { view } = await ask(on, 'What is a dog?');
    expect(view.state).toBe('settled');
    await askAnd('What is a river?', state, async () => void (await rpc(on.network.rpcUrl, method, depth)));
    await untilSameMoney(on);
    const { tasks } = await on.network.front.tasks(on.demo.session, { limit: 2 });
    for (const task of tasks) expect(['settled', 'refunded']).toContain(task.state);
    expect((await ask(on, 'Define water.')).view.state).toBe('settled');
  });

  it('that replaces all blocks of a settled task takes the settlement back and refunds it', async () => {
    const { money } = await on.network.front.session(on.demo.session);
    const { number: before } = await on.network.ports.chain.block();
    const { task } = (await ask(on, 'What is milk?')).view;
    const { number } = await on.network.ports.chain.block();
    await rpc(on.network.rpcUrl, 'anvil_reorg', [number - before, []]);
    await expect.poll(async () => (await on.network.front.task(task))?.state, { timeout: 30_000 }).toBe('refunded');
    expect(await on.network.front.task(task)).toMatchObject({
      failure: { code: 'assignment_lost' },
      priceWei: '0',
      payments: [],
    });
    await untilSameMoney(on);
    expect((await on.network.front.session(on.demo.session)).money).toEqual(money);
  });

  it('that replaces all blocks of a session, its end included, leads it to the end that the chain then has', async () => {
    const { network } = on;
    const { chain } = network.ports;
    const own = await withSession(on, 'reorged', {});
    const { number: before } = await chain.block();
    expect((await ask(own, 'What is bread?')).view.state).toBe('settled');
    expect((await network.front.closeSession(own.demo.session)).state).toBe('closed');
    const { number } = await chain.block();
    await rpc(network.rpcUrl, 'anvil_reorg', [number - before, []]);
    const session = (): ReturnType<typeof network.front.session> => network.front.session(own.demo.session);
    await expect.poll(async () => (await session()).counts, { timeout: 30_000 }).toMatchObject({ refunded: 1 });
    await expect.poll(async () => (await session()).state, { timeout: 10_000 }).toBe('closed');
    const { money } = await session();
    expect(money).toMatchObject({ refundedWei: money.depositedWei, paidWei: '0' });
    await expectSameMoney(own);
  });
});

describe('a miner that dies in mid-stream', () => {
  let undisturbed: Watched;

  beforeAll(async () => {
    undisturbed = await askForStory(on);
  });

  it('is followed by another one of three, whose words go on where its own ended', async () => {
    const { answer, killed } = await killReadMiner(on, 5);
    expect(answer.view).toMatchObject({ state: 'settled', text: undisturbed.text });
    expect(answer.text).toBe(undisturbed.text);
    expect(shown(answer).places).toEqual(shown(undisturbed).places);
    expect(answer.view.joins).toMatchObject([{ from: killed }]);
    expect(answer.view.joins[0]?.deliveredTokens).toBeGreaterThanOrEqual(5);
    expect(ofMiner(answer.view, killed)?.phase).toBe('timed-out');
    expect(answer.view.payments.map(({ to }) => to)).not.toContain(killed);
    await expectSameMoney(on);
  });

  it('is followed by the replacement where it was the only one, from the words that were delivered', async () => {
    const alone = await withSession(on, 'alone', { redundancy: 1 });
    const { answer, killed } = await killReadMiner(alone, 5);
    expect(answer.view).toMatchObject({ state: 'settled', text: undisturbed.text });
    expect(answer.text).toBe(undisturbed.text);
    expect(shown(answer).places).toEqual(shown(undisturbed).places);
    expect(answer.view.joins).toMatchObject([{ from: killed, to: answer.view.winner }]);
    expect(answer.view.joins[0]?.deliveredTokens).toBeGreaterThanOrEqual(5);
    expect(ofMiner(answer.view, killed)?.phase).toBe('timed-out');
    await expectSameMoney(alone);
  });
});

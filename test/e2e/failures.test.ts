import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDemoSession } from '../../src/cli/compose/demo-session.ts';
import type { TermsOverrides } from '../../src/cli/compose/settings.ts';
import type { Address } from '../../src/core/ids.ts';
import type { MinerNode } from '../../src/nodes/miner/miner-node.ts';
import type { TaskState, TaskView } from '../../src/ports/task-views.ts';
import { silent } from '../../src/sim/attacks/silent.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { auditDeployment } from '../../src/adapters/chain/chain-audit.ts';
import { anvilPid } from '../kit/pouw-process.ts';
import { rpc } from '../kit/rpc.ts';
import { expectSameMoney, untilSameMoney } from '../kit/same-money.ts';
import { chainFaults, type ChainFaults } from '../kit/chain-faults.ts';
import {
  ask,
  chat,
  scratch,
  shortDeadlines,
  startTestNetwork,
  type TestNetwork,
  type Watched,
} from '../kit/local-network.ts';

const story = 'Tell me a story about a fox and a river.';
const long = { maxTokens: 160 };

/** The same network, with another session of its client. */
async function withSession(on: TestNetwork, label: string, terms: TermsOverrides): Promise<TestNetwork> {
  const { network } = on;
  const demo = await openDemoSession(network, network.engine.model, label, { ...shortDeadlines, ...terms });
  return { network, demo };
}

function minerAt({ network }: TestNetwork, address: Address | null): MinerNode {
  const found = network.miners.find((miner) => miner.address === address);
  if (found === undefined) throw new Error(`no miner ${address}`);
  return found;
}

/** Asks, and ends the miner that is read as soon as it has said `tokens` tokens. */
async function killReadMiner(on: TestNetwork, tokens: number): Promise<{ answer: Watched; killed: Address }> {
  let killed: Address | undefined;
  const answer = await ask(on, story, long, async (count, task) => {
    if (count !== tokens) return;
    const { primary } = (await on.network.front.task(task as TaskView['task'])) as TaskView;
    killed = minerAt(on, primary).address;
    await minerAt(on, primary).stop(0);
  });
  if (killed === undefined) throw new Error(`the answer had fewer than ${tokens} tokens`);
  return { answer, killed };
}

/** Every state that a client was shown, and the places of the tokens. */
function shown({ updates }: Watched): { states: TaskState[]; places: number[] } {
  return {
    states: updates.flatMap((update) => (update.type === 'state' ? [update.state] : [])),
    places: updates.flatMap((update) => (update.type === 'token' ? [update.index] : [])),
  };
}

function ofMiner(view: TaskView, miner: Address): TaskView['miners'][number] | undefined {
  return view.miners.find((one) => one.miner === miner);
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
    undisturbed = await ask(on, story, long);
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

describe('with short deadlines', () => {
  const folder = scratch('late');
  let faults: ChainFaults;
  let late: TestNetwork;

  beforeAll(async () => {
    faults = chainFaults();
    const attacks = new Map([[0, silent]]);
    const counts = { routers: 2, miners: 4, validators: 2, oracles: 2 };
    late = await startTestNetwork(
      folder.path,
      { attacks, counts, wrapChain: (chain) => faults.wrap(chain) },
      { ...shortDeadlines, redundancy: 2 },
    );
  });
  afterAll(async () => {
    await late?.network.stop(5_000);
    folder.remove();
  });

  /** Asks until a miner is among those chosen: the beacon decides. */
  async function askUntilChosen(miner: Address): Promise<Watched> {
    for (let count = 0; count < 12; count += 1) {
      const answer = await ask(late, `What is a dog? (${count})`, { maxTokens: 24 });
      if (ofMiner(answer.view, miner) !== undefined) return answer;
    }
    throw new Error('the miner was never chosen');
  }

  it('a silent miner is replaced by the oracle, named and not paid; the task is settled all the same', async () => {
    const address = late.network.miners[0]?.address as Address;
    const { view } = await askUntilChosen(address);
    expect(view.state).toBe('settled');
    expect(ofMiner(view, address)?.phase).toBe('timed-out');
    expect(view.payments.map(({ to }) => to)).not.toContain(address);
    expect(view.miners.filter(({ verdict }) => verdict === 'honest')).toHaveLength(2);
    expect(view.payments.map(({ role }) => role)).toContain('oracle');
  });

  it('a miner whose acknowledgement never comes is replaced', async () => {
    let mute: Address | undefined;
    const heal = faults.cut((from, { call }) => call === 'ack' && from === (mute ??= from));
    const { view } = await ask(late, 'What is water?');
    heal();
    expect(view.state).toBe('settled');
    expect(ofMiner(view, mute as Address)?.phase).toBe('timed-out');
    expect(view.miners.filter(({ verdict }) => verdict === 'honest')).toHaveLength(2);
  });

  it('one silent validator leaves the word to the other', async () => {
    let mute: Address | undefined;
    const heal = faults.cut((from, { call }) => call === 'attest' && from === (mute ??= from));
    const { view } = await ask(late, 'What is bread?');
    heal();
    expect(view.state).toBe('settled');
    expect(view.payments.filter(({ role }) => role === 'validator').map(({ to }) => to)).toEqual(
      view.validators.filter((validator) => validator !== mute),
    );
  });

  it('silent validators cost the client nothing: the task is refunded', async () => {
    const heal = faults.cut((_, { call }) => call === 'attest');
    const { view } = await ask(late, 'What is milk?');
    heal();
    expect(view).toMatchObject({ state: 'refunded', priceWei: '0', failure: { code: 'task_exhausted' } });
    await expectSameMoney(late);
  });

  it('a dead oracle is replaced by the other one', async () => {
    await late.network.oracles[0]?.stop(0);
    let mute: Address | undefined;
    const heal = faults.cut((from, { call }) => call === 'ack' && from === (mute ??= from));
    const { view } = await ask(late, 'What is a horse?');
    heal();
    expect(view.state).toBe('settled');
    expect(view.payments.find(({ role }) => role === 'oracle')?.to).toBe(late.network.oracles[1]?.address);
  });
});

describe('nobody is left', () => {
  const folder = scratch('alone');
  const counts = { routers: 1, miners: 1, validators: 1, oracles: 1 };
  const terms = { ...shortDeadlines, redundancy: 1, validators: 1 };
  let alone: TestNetwork;

  afterAll(async () => {
    await alone?.network.stop(5_000);
    folder.remove();
  });

  it('to route: the chain ends the task and gives the money back, and the log learns it at the next start', async () => {
    alone = await startTestNetwork(folder.path, { counts }, terms);
    const { network, demo } = alone;
    const { task, updates } = await network.front.submit(chat(alone, 'What is a dog?'), new AbortController().signal);
    await expect(async () => {
      for await (const update of updates) if (update.type === 'token') await network.routers[0]?.stop(0);
    }).rejects.toMatchObject({ code: 'task_unwatched' });
    const endings = async (): Promise<readonly string[]> => {
      const audit = await auditDeployment(network.rpcUrl, network.ports.chain.deployment);
      return audit.endings.get(task) ?? [];
    };
    await expect.poll(endings, { timeout: 40_000, interval: 500 }).toEqual(['TaskRefunded']);
    await network.stop(0);
    alone = await startTestNetwork(folder.path, { counts }, terms);
    expect(alone.demo.session).toBe(demo.session);
    await expect.poll(async () => (await alone.network.front.task(task))?.state, { timeout: 10_000 }).toBe('refunded');
    await expectSameMoney(alone);
  });

  it('to work: a miner that was the only one and dies costs the client nothing', async () => {
    const before = (await alone.network.front.session(alone.demo.session)).money;
    const { answer } = await killReadMiner(alone, 3);
    expect(answer.view).toMatchObject({ state: 'refunded', priceWei: '0', failure: { code: 'task_exhausted' } });
    expect((await alone.network.front.session(alone.demo.session)).money).toEqual(before);
    await expectSameMoney(alone);
  });
});

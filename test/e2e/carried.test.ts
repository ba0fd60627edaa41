import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/adapters/local/system-clock.ts';
import { PouwError } from '../../src/core/errors.ts';
import { streamId } from '../../src/core/ids.ts';
import type { RouterNode } from '../../src/nodes/router/router-node.ts';
import type { Chain, ChainCall, ChainReceipt } from '../../src/ports/chain.ts';
import { openDemoSession } from '../../src/cli/compose/demo-session.ts';
import type { TaskView } from '../../src/ports/task-views.ts';
import { ofMiner } from '../kit/dying-miner.ts';
import { ask, chat, scratch, shortDeadlines, startTestNetwork, type TestNetwork } from '../kit/local-network.ts';
import { expectSameMoney } from '../kit/same-money.ts';

const place = scratch('carried');
/** Every transaction by its hash: what the chain took, and what it said. */
const mined = new Map<string, { readonly call: ChainCall; readonly receipt: ChainReceipt }>();

/** What happens before a call is sent. */
let beforeSend: (chain: Chain, call: ChainCall) => Promise<void> = async () => {};

/** A chain whose transactions are written down from their receipts. */
const wrapChain = (chain: Chain): Chain => ({
  ...chain,
  send: async (from, call, effect) => {
    await beforeSend(chain, call);
    const receipt = await chain.send(from, call, effect);
    mined.set(receipt.txHash, { call, receipt });
    return receipt;
  },
});

/** The transactions that a task took, by call, from submission to settlement. */
function transactionsOf({ task }: TaskView): string[] {
  const its = [...mined.values()].filter(({ receipt }) =>
    receipt.facts.some((fact) => 'task' in fact && fact.task === task),
  );
  return its.map(({ call }) => call.call);
}

/** How often the chain has said something about a task. */
function countOf({ task }: TaskView, type: string): number {
  const facts = [...mined.values()].flatMap(({ receipt }) => receipt.facts);
  return facts.filter((fact) => fact.type === type && 'task' in fact && fact.task === task).length;
}

/** Everything that has to be on chain is there once, whoever brought it. */
function expectWhole(view: TaskView): void {
  expect(view.state).toBe('settled');
  expect(view.miners.map(({ verdict }) => verdict)).toEqual(['honest', 'honest', 'honest']);
  for (const type of ['TaskAcked', 'TaskPrecommitted', 'TaskRevealed'])
    expect([type, countOf(view, type)]).toEqual([type, 3]);
  expect(countOf(view, 'ResultAttested')).toBe(2);
  expect(countOf(view, 'TaskSettled')).toBe(1);
}

let on: TestNetwork;
beforeAll(async () => {
  on = await startTestNetwork(place.path, { wrapChain });
});
afterAll(async () => {
  await on?.network.stop(5_000);
  place.remove();
});
afterEach(() => {
  vi.restoreAllMocks();
  beforeSend = async () => {};
});

const carried = ['submit', 'assign', 'precommitMany', 'revealMany', 'settleWith'];
const each = (call: string, times: number): string[] => Array.from({ length: times }, () => call);
const alone = ['submit', 'assign', ...each('precommit', 3), ...each('reveal', 3), ...each('attest', 2), 'settle'];

describe('a task of three miners and two validators', () => {
  it('takes five transactions', async () => {
    const { view } = await ask(on, 'What is a dog?');
    expectWhole(view);
    expect(transactionsOf(view)).toEqual(carried);
    await expectSameMoney(on);
  });

  it('takes five transactions each where several run at a time', async () => {
    const asked = await Promise.all(['Define water.', 'What is milk?', 'What is a river?'].map((one) => ask(on, one)));
    for (const { view } of asked) {
      expectWhole(view);
      expect(transactionsOf(view)).toEqual(carried);
    }
    await expectSameMoney(on);
  });
});

describe('a router', () => {
  const withDeadlines = async (label: string): Promise<TestNetwork> => {
    const demo = await openDemoSession(on.network, on.network.engine.model, label, shortDeadlines);
    return { network: on.network, demo };
  };
  const routers = (): readonly RouterNode[] => on.network.routers;

  it('that says it carries and does not is found out in time: everybody sends its own part', async () => {
    const short = await withDeadlines('withholds');
    for (const { carrying } of routers()) vi.spyOn(carrying, 'take').mockResolvedValue();
    const { view } = await ask(short, 'What is bread?');
    expectWhole(view);
    expect(transactionsOf(view).toSorted()).toEqual(alone.toSorted());
    await expectSameMoney(short);
  });

  it('that refuses is not waited for', async () => {
    for (const { carrying } of routers())
      vi.spyOn(carrying, 'take').mockRejectedValue(new PouwError('carry_full', 'no', { class: 'busy' }));
    const startedAt = Date.now();
    const { view } = await ask(on, 'What is a horse?');
    expectWhole(view);
    expect(transactionsOf(view).toSorted()).toEqual(alone.toSorted());
    // Without deadlines: the patience of one phase alone would be 20 seconds.
    expect(Date.now() - startedAt).toBeLessThan(20_000);
    await expectSameMoney(on);
  });

  it('that has brought the reveals of miners which think that it has not, has done their part', async () => {
    for (const { carrying } of routers()) {
      const take = carrying.take.bind(carrying);
      vi.spyOn(carrying, 'take').mockImplementation(async (from, part) => {
        await take(from, part);
        if (part.is === 'reveal') throw new PouwError('request_timeout', 'not heard', { class: 'timeout' });
      });
    }
    let refused = 0;
    // Each miner is too late with its own: the chain has all of them.
    beforeSend = async (chain, call) => {
      if (call.call !== 'reveal') return;
      refused += 1;
      while ((await chain.task(call.task))?.state === 'precommitted') await systemClock.sleep(20);
    };
    const { view } = await ask(on, 'What is a house?');
    expectWhole(view);
    expect([transactionsOf(view), refused]).toEqual([carried, 3]);
    await on.network.settle();
    for (const { address } of on.network.miners) {
      const events: string[] = [];
      for await (const { commit } of on.network.ports.store.read(streamId('miner', address)))
        events.push(...commit.events.flatMap((one) => ('task' in one && one['task'] === view.task ? [one.type] : [])));
      expect(events.slice(-2)).toEqual(ofMiner(view, address) === undefined ? [] : ['JobRevealed', 'JobDone']);
    }
    await expectSameMoney(on);
  });

  it('that forgets what it was given, as after a crash, is told again', async () => {
    for (const { carrying } of routers()) {
      const take = carrying.take.bind(carrying);
      const forgotten = new Set<string>();
      vi.spyOn(carrying, 'take').mockImplementation(async (from, part) => {
        const key = `${from} ${part.is} ${part.task}`;
        if (forgotten.has(key)) return take(from, part);
        forgotten.add(key);
        return undefined;
      });
    }
    const { view } = await ask(on, 'Define water.', { maxTokens: 32 });
    expectWhole(view);
    expect(transactionsOf(view)).toEqual(carried);
    await expectSameMoney(on);
  });

  it('whose miners do not accept beforehand assigns the task, and they acknowledge by themselves', async () => {
    for (const { base } of routers()) vi.spyOn(base, 'ask').mockRejectedValue(new PouwError('request_timeout', 'no'));
    const { view } = await ask(on, 'What is a doctor?');
    expectWhole(view);
    expect(transactionsOf(view)).toEqual([...carried.slice(0, 2), 'ack', 'ack', 'ack', ...carried.slice(2)]);
    await expectSameMoney(on);
  });

  it('that dies with parts in hand is not waited for: its miners send their own, and another router goes on', async () => {
    const { network, demo } = on;
    const owner = network.leader(demo.session);
    const take = owner.carrying.take.bind(owner.carrying);
    let inHand = 0;
    let killed: Promise<void> | undefined;
    vi.spyOn(owner.carrying, 'take').mockImplementation(async (from, part) => {
      await take(from, part);
      inHand += 1;
      if (inHand === 2) killed = owner.base.kill();
    });
    const { task } = await network.front.submit(chat(on, 'What is a dog?'), new AbortController().signal);
    const state = async () => (await network.front.task(task))?.state;
    await expect.poll(state, { timeout: 60_000, interval: 200 }).toBe('settled');
    const view = (await network.front.task(task)) as TaskView;
    expectWhole(view);
    expect(network.leader(demo.session)).not.toBe(owner);
    const its = transactionsOf(view);
    expect(its.filter((call) => call === 'precommit')).toHaveLength(3);
    expect(its).not.toContain('precommitMany');
    await killed;
    await expectSameMoney(on);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Address } from '../../src/core/ids.ts';
import { silent } from '../../src/sim/attacks/silent.ts';
import { auditDeployment } from '../../src/adapters/chain/chain-audit.ts';
import { type ChainFaults, chainFaults } from '../kit/chain-faults.ts';
import { killReadMiner, ofMiner } from '../kit/dying-miner.ts';
import {
  ask,
  chat,
  scratch,
  shortDeadlines,
  startTestNetwork,
  type TestNetwork,
  type Watched,
} from '../kit/local-network.ts';
import { expectSameMoney } from '../kit/same-money.ts';

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

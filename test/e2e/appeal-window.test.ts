import { encodeFunctionData } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appealsAbi, corAbi } from '../../src/adapters/chain/abi.ts';
import { present } from '../../src/core/assert.ts';
import type { ChainFact } from '../../src/core/chain-fact.ts';
import { type Hex, keccak256 } from '../../src/core/hash.ts';
import { type Address, streamId, type TaskId } from '../../src/core/ids.ts';
import { ask, scratch, startTestNetwork, type TestNetwork } from '../kit/local-network.ts';
import { rpc } from '../kit/rpc.ts';

const windowS = 3;
const place = scratch('appeal-window');
let on: TestNetwork;
let effects = 0;

beforeAll(async () => {
  on = await startTestNetwork(place.path, {}, { appealWindowS: windowS, ackTimeoutS: 2 });
});
afterAll(async () => {
  await on?.network.stop(5_000);
  place.remove();
});

const context = async () => (await on.network.leader(on.demo.session).session(on.demo.session)).context;
const effect = (): Hex => keccak256(`owner ${(effects += 1)}`);

/** A transaction of an account of this network, from a wallet of its own. */
async function sendAs(from: Address, to: Address, data: Hex): Promise<void> {
  await rpc(on.network.rpcUrl, 'anvil_impersonateAccount', [from]);
  await rpc(on.network.rpcUrl, 'eth_sendTransaction', [{ from, to, data }]);
}

async function owner(): Promise<Address> {
  return present((await context()).client, 'the owner');
}

async function factsOf(task: TaskId): Promise<readonly ChainFact[]> {
  const { chain } = on.network.ports;
  const head = Number(await rpc(on.network.rpcUrl, 'eth_blockNumber', []));
  const facts = await chain.facts(chain.deployment.fromBlock, head);
  return facts.filter((fact) => 'task' in fact && fact.task === task);
}

/** The second at which the chain said something of a task. */
async function secondOf(task: TaskId, type: ChainFact['type']): Promise<number> {
  const found = (await factsOf(task)).find((fact) => fact.type === type);
  return present(found, type).place.blockAt / 1_000;
}

describe('a task whose outcome may be appealed is paid for', () => {
  it('once its window is over and nobody did', async () => {
    const { view } = await ask(on, 'What is a dog?', { maxTokens: 8 });
    expect(view).toMatchObject({ state: 'settled' });
    const { task } = view;
    expect(await secondOf(task, 'TaskSettled')).toBeGreaterThan((await secondOf(task, 'ResultValidated')) + windowS);
  });

  it('once an appeal has come to nothing, and the log has it', async () => {
    const { appeals, cor } = on.network.ports.chain.deployment;
    const client = await owner();
    const bond = encodeFunctionData({ abi: corAbi, functionName: 'approve', args: [appeals, 10n ** 20n] });
    await sendAs(client, cor, bond);
    const asked = ask(on, 'What is a cat?', { maxTokens: 8 });
    const validated = async () =>
      Object.values((await context()).tasks).find(({ value }) => value === 'validated')?.context;
    await expect.poll(async () => (await validated())?.task, { timeout: 20_000, interval: 100 }).toBeDefined();
    const { task } = present(await validated(), 'a validated task');
    const call = (functionName: 'appeal' | 'end'): Hex =>
      encodeFunctionData({ abi: appealsAbi, functionName, args: [task, effect()] });
    await sendAs(client, appeals, call('appeal'));
    await expect.poll(async () => (await validated())?.appeal?.state, { timeout: 20_000, interval: 100 }).toBe('open');
    // Nobody is nominated, so anyone may end it once the time for that is over.
    const isEnded = async () => {
      await sendAs(client, appeals, call('end')).catch(() => undefined);
      return (await factsOf(task)).some(({ type }) => type === 'AppealUndecided');
    };
    await expect.poll(isEnded, { timeout: 20_000, interval: 500 }).toBe(true);
    expect((await asked).view).toMatchObject({ state: 'settled', task });
    const stream = streamId('session', on.demo.session);
    const types: string[] = [];
    for await (const { commit } of on.network.ports.store.read(stream)) {
      for (const event of commit.events) if ('task' in event && event['task'] === task) types.push(event.type);
    }
    expect(types.slice(-4)).toEqual(['ResultValidated', 'OutcomeAppealed', 'AppealUndecided', 'TaskSettled']);
  });
});

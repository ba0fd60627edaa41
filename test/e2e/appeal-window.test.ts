import { encodeFunctionData } from 'viem';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sessionsAbi } from '../../src/adapters/chain/abi.ts';
import { present } from '../../src/core/assert.ts';
import { keccak256 } from '../../src/core/hash.ts';
import { sessionNumber } from '../../src/core/ids.ts';
import { ask, scratch, startTestNetwork, type TestNetwork } from '../kit/local-network.ts';
import { rpc } from '../kit/rpc.ts';

const windowS = 3;
const place = scratch('appeal-window');
let on: TestNetwork;

beforeAll(async () => {
  on = await startTestNetwork(place.path);
});
afterAll(async () => {
  await on?.network.stop(5_000);
  place.remove();
});

const context = async () => (await on.network.leader(on.demo.session).session(on.demo.session)).context;

/** The owner gives its session an appeal window, from a wallet of its own. */
async function openWindow(): Promise<void> {
  const { client, terms } = await context();
  const { routers: _, dedicatedMiners: __, ...rules } = present(terms, 'terms');
  const struct = {
    ...rules,
    maxTaskPriceWei: BigInt(rules.maxTaskPriceWei),
    promptTokenWei: BigInt(rules.promptTokenWei),
    outputTokenWei: BigInt(rules.outputTokenWei),
    reserveFeeWei: BigInt(rules.reserveFeeWei),
    mode: 0,
    settlement: 0,
    appealWindowS: windowS,
  };
  const args = [sessionNumber(on.demo.session), struct, keccak256('a window')] as const;
  const data = encodeFunctionData({ abi: sessionsAbi, functionName: 'update', args });
  const from = present(client, 'the owner');
  await rpc(on.network.rpcUrl, 'anvil_impersonateAccount', [from]);
  await rpc(on.network.rpcUrl, 'eth_sendTransaction', [{ from, to: on.network.ports.chain.deployment.sessions, data }]);
}

it('a task whose outcome may be appealed is paid for once nobody did', async () => {
  await openWindow();
  await expect.poll(async () => (await context()).version, { timeout: 20_000 }).toBe(2);
  const { view } = await ask(on, 'What is a dog?', { maxTokens: 8 });
  expect(view).toMatchObject({ state: 'settled' });
  const { chain } = on.network.ports;
  const facts = await chain.facts(chain.deployment.fromBlock, present(view.settlement, 'a settlement').block);
  const secondOf = (type: string): number => {
    const found = facts.find((fact) => fact.type === type && 'task' in fact && fact.task === view.task);
    return present(found, type).place.blockAt / 1_000;
  };
  expect(secondOf('TaskSettled')).toBeGreaterThan(secondOf('ResultValidated') + windowS);
});

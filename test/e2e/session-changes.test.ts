import { encodeFunctionData } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sessionsAbi } from '../../src/adapters/chain/abi.ts';
import { type Hex, keccak256 } from '../../src/core/hash.ts';
import { sessionNumber } from '../../src/core/ids.ts';
import { present } from '../../src/core/assert.ts';
import { ask, scratch, startTestNetwork, type TestNetwork } from '../kit/local-network.ts';
import { rpc } from '../kit/rpc.ts';

const place = scratch('session-changes');
let on: TestNetwork;
let effects = 0;

beforeAll(async () => {
  on = await startTestNetwork(place.path, { checkpointEveryMs: 500 });
});
afterAll(async () => {
  await on?.network.stop(5_000);
  place.remove();
});

const context = async () => (await on.network.leader(on.demo.session).session(on.demo.session)).context;
const number = (): bigint => sessionNumber(on.demo.session);
const effect = (): Hex => keccak256(`owner ${(effects += 1)}`);

/** A transaction of the session's owner, from a wallet of its own. */
async function owner(data: Hex): Promise<void> {
  const { sessions } = on.network.ports.chain.deployment;
  const from = present((await context()).client, 'the owner');
  await rpc(on.network.rpcUrl, 'anvil_impersonateAccount', [from]);
  await rpc(on.network.rpcUrl, 'eth_sendTransaction', [{ from, to: sessions, data }]);
}

const named = (functionName: 'deactivate' | 'reactivate'): Hex =>
  encodeFunctionData({ abi: sessionsAbi, functionName, args: [number(), effect()] });

describe('a network follows the chain', () => {
  it('and chooses by what the registry has: models that miners list, and the bounds of weights', async () => {
    const { network } = on;
    const [router] = network.routers;
    for (const { address } of network.miners) {
      const models = await network.ports.chain.servedModels(address);
      expect(models.toSorted()).toEqual(
        [network.engine.model, network.engine.embedder].map((model) => keccak256(model)).toSorted(),
      );
    }
    const book = await present(router, 'a router').book();
    expect(book.maxWeights).toHaveLength(11);
    for (const { address } of network.miners)
      expect(book.nodes[address]?.served).toEqual([network.engine.model, network.engine.embedder].toSorted());
  });

  it('to a session that its owner puts to rest, and wakes', async () => {
    await owner(named('deactivate'));
    await expect.poll(async () => (await context()).isAtRest, { timeout: 20_000 }).toBe(true);
    await expect(ask(on, 'Hello')).rejects.toMatchObject({ code: 'session_inactive', class: 'forbidden' });
    await owner(named('reactivate'));
    await expect.poll(async () => (await context()).isAtRest, { timeout: 20_000 }).toBe(false);
    const { view } = await ask(on, 'What is a dog?', { maxTokens: 8 });
    expect(view).toMatchObject({ state: 'settled' });
    expect(view.miners).toHaveLength(3);
  });

  it('to other terms, under which new tasks are', async () => {
    const { terms } = await context();
    const { routers: _, dedicatedMiners: __, ...rules } = present(terms, 'terms');
    const wei = {
      maxTaskPriceWei: BigInt(rules.maxTaskPriceWei),
      promptTokenWei: BigInt(rules.promptTokenWei),
      outputTokenWei: BigInt(rules.outputTokenWei),
      reserveFeeWei: BigInt(rules.reserveFeeWei),
    };
    const struct = { ...rules, ...wei, mode: 0, settlement: 0, redundancy: 1 };
    const args = [number(), struct, effect()] as const;
    await owner(encodeFunctionData({ abi: sessionsAbi, functionName: 'update', args }));
    await expect.poll(async () => (await context()).version, { timeout: 20_000 }).toBe(2);
    const { view } = await ask(on, 'What is a cat?', { maxTokens: 8 });
    expect(view).toMatchObject({ state: 'settled' });
    expect(view.miners).toHaveLength(1);
  });

  it('and its oracles say on chain what its log says of the nodes, once an epoch is over', async () => {
    const { network } = on;
    await network.settle();
    await rpc(network.rpcUrl, 'evm_increaseTime', [86_400]);
    await expect
      .poll(async () => (await network.reputation.state()).newest?.checkpoint, { timeout: 60_000, interval: 500 })
      .toMatchObject({ epoch: 1, fromPosition: 1, anchorEpoch: expect.any(Number) as unknown });
    const { newest } = await network.reputation.state();
    expect(newest?.checkpoint.nodes).toBeGreaterThanOrEqual(3);
  });
});

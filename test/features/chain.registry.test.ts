import { encodeFunctionData } from 'viem';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parametersAbi, registryAbi } from '../../src/adapters/chain/abi.ts';
import { defaultEconomy } from '../../src/adapters/chain/economy.ts';
import { keccak256 } from '../../src/core/hash.ts';
import type { Hex } from '../../src/core/hash.ts';
import type { Address } from '../../src/core/ids.ts';
import { taskId } from '../../src/core/ids.ts';
import { subWei } from '../../src/core/wei.ts';
import { boundedWeight, rankByRendezvous } from '../../src/core/selection.ts';
import { cor, digest, effect, factOf, heardOf, listen, openSession } from './chain.harness.ts';
import { type LocalChain, rpc, startLocalChain } from './chain.local-chain.ts';
import { pouwError } from './pouw-error.ts';

let harness: LocalChain;
beforeEach(async () => {
  harness = await startLocalChain();
}, 120_000);
afterEach(() => harness.close());

/** A transaction in the name of a contract, as it would make it. @returns its hash. */
async function as(contract: Address, to: Address, data: Hex): Promise<Hex> {
  const { url } = harness.anvil;
  await rpc(url, 'anvil_setBalance', [contract, '0xde0b6b3a7640000']);
  await rpc(url, 'anvil_impersonateAccount', [contract]);
  const hash = (await rpc(url, 'eth_sendTransaction', [{ from: contract, to, data }])) as Hex;
  await rpc(url, 'evm_mine');
  return hash;
}

const refused = (reason: string) =>
  pouwError('chain_reverted', { details: expect.objectContaining({ reason }) as unknown });

test('a node lists its models and takes them off, and both are facts', async () => {
  const { chain, cast } = harness;
  const [miner] = cast.miners;
  const listed = await chain.send(miner, { call: 'serveModels', models: ['chat', 'embed'] }, effect('serve'));
  expect(listed.facts).toMatchObject([
    { type: 'ModelServed', node: miner, model: 'chat' },
    { type: 'ModelServed', node: miner, model: 'embed' },
  ]);
  expect(await chain.servedModels(miner)).toEqual([keccak256('chat'), keccak256('embed')]);
  const dropped = await chain.send(miner, { call: 'dropModels', modelHashes: [keccak256('chat')] }, effect('drop'));
  expect(factOf(dropped, 'ModelDropped')).toMatchObject({ node: miner, modelHash: keccak256('chat') });
  expect(await chain.servedModels(miner)).toEqual([keccak256('embed')]);
  expect(await chain.servedModels(cast.router)).toEqual([]);
});

test('levels, cool-downs and the bounds of weights are facts from the deployment on', async () => {
  const { chain, deployment, cast, patienceMs } = harness;
  const heard = listen(chain);
  const { registry, parameters, reputation, queue, timelock } = deployment;
  const [miner] = cast.miners;
  const setLevel = encodeFunctionData({ abi: registryAbi, functionName: 'setLevel', args: [miner, 4] });
  await heardOf(heard, await as(reputation, registry, setLevel), patienceMs);
  const { at } = await chain.block();
  const coolUntilAt = at / 1_000 + 60;
  const coolDown = encodeFunctionData({ abi: registryAbi, functionName: 'coolDown', args: [miner, coolUntilAt] });
  await heardOf(heard, await as(queue, registry, coolDown), patienceMs);
  const maxWeights = [100, 200, 300, 400, 500, 600, 700, 800, 900, 1_000, 1_100] as const;
  const args = [maxWeights, digest('bounds')] as const;
  const bound = encodeFunctionData({ abi: parametersAbi, functionName: 'setMaxWeights', args });
  await heardOf(heard, await as(timelock, parameters, bound), patienceMs);
  const atFirst = Array.from({ length: 11 }, (_, level) => 2_000 + 200 * level);
  expect(heard.facts.filter(({ type }) => type === 'MaxWeightsSet')).toMatchObject([
    { maxWeights: atFirst },
    { maxWeights },
  ]);
  expect(heard.facts).toContainEqual(expect.objectContaining({ type: 'NodeLevelSet', node: miner, level: 4 }));
  expect(heard.facts).toContainEqual(
    expect.objectContaining({ type: 'NodeCooledDown', node: miner, coolUntilAt: coolUntilAt * 1_000 }),
  );
  expect(await chain.node(miner)).toMatchObject({ level: 4, coolUntilAt: coolUntilAt * 1_000 });
  await heard.subscription.close();
});

test('the contract takes a weight at the bound of its level and none beyond, and nobody who cools down', async () => {
  const { chain, deployment, cast } = harness;
  const session = await openSession(harness, 'weights', { redundancy: 1, minMiners: 1 });
  const requestId = digest('request-weights');
  const task = taskId(session, requestId);
  const request = { requestId, promptDigest: digest('prompt'), maxTokens: 64, maxPriceWei: cor(5) };
  const submitted = await chain.send(cast.router, { call: 'submit', session, ...request }, effect('submit'));
  const { number: beaconBlock, hash: beacon } = await chain.waitForBlock(submitted.block + 1);
  const bound = boundedWeight(65_535_000, 0, [2_000]);
  const weighed = (nodes: readonly Address[], weight: number) => nodes.toSorted().map((node) => ({ node, weight }));
  const assign = (weight: number, validatorWeight: number, name: string) => {
    const [miners, validators] = [weighed(cast.miners, weight), weighed(cast.validators, validatorWeight)];
    const draw = { beaconBlock, beacon, selectionDigest: digest('selection'), lane: 0, miners, validators };
    return chain.send(cast.router, { call: 'assign', task, scheme: 'drawn', ...draw }, effect(name));
  };
  await expect(assign(bound + 1, bound, 'too heavy')).rejects.toEqual(refused('WeightBeyondLevel'));
  await expect(assign(bound, bound + 1, 'a validator too heavy')).rejects.toEqual(refused('WeightBeyondLevel'));
  const [drawn] = rankByRendezvous(beacon, task, weighed(cast.miners, bound));
  const until = (await chain.block()).at / 1_000 + 60;
  const args = [drawn as Address, until] as const;
  await as(
    deployment.queue,
    deployment.registry,
    encodeFunctionData({ abi: registryAbi, functionName: 'coolDown', args }),
  );
  await expect(assign(bound, bound, 'who cools down')).rejects.toEqual(refused('NodeCoolingDown'));
  await harness.passTime(61);
  expect(factOf(await assign(bound, bound, 'at the bound'), 'MinersAssigned').miners).toEqual([drawn]);
});

test('who proves a fault takes its part, the treasury is sent the rest, and who may not work is stopped', async () => {
  const { chain, deployment, cast } = harness;
  const { registry, queue, parameters, timelock } = deployment;
  const [miner] = cast.miners;
  await expect(chain.send(cast.oracle, { call: 'withdrawReward' }, effect('early'))).rejects.toEqual(
    refused('NoReward'),
  );
  await expect(chain.send(cast.oracle, { call: 'sweepSlashed' }, effect('early sweep'))).rejects.toEqual(
    refused('NothingSlashed'),
  );
  const fault = [miner, BigInt(cor(10)), digest('fault'), 0, cast.oracle, 4_000] as const;
  await as(queue, registry, encodeFunctionData({ abi: registryAbi, functionName: 'slash', args: fault }));
  const [held, treasury] = [await chain.corBalance(cast.oracle), await chain.corBalance(cast.deployer)];
  await chain.send(cast.oracle, { call: 'withdrawReward' }, effect('reward'));
  expect(subWei(await chain.corBalance(cast.oracle), held)).toBe(cor(4));
  await chain.send(cast.oracle, { call: 'sweepSlashed' }, effect('sweep'));
  expect(subWei(await chain.corBalance(cast.deployer), treasury)).toBe(cor(6));

  const { spareMiner: spare } = cast;
  await expect(chain.send(cast.oracle, { call: 'stopUnfit', node: spare }, effect('fit'))).rejects.toEqual(
    refused('NodeFit'),
  );
  const stakes = { ...defaultEconomy(cast.deployer).stakes, minerWei: BigInt(cor(150)) };
  const raised = { abi: parametersAbi, functionName: 'setStakes', args: [stakes, digest('raised')] } as const;
  await as(timelock, parameters, encodeFunctionData(raised));
  const stopped = await chain.send(cast.oracle, { call: 'stopUnfit', node: spare }, effect('stop'));
  expect(factOf(stopped, 'NodeActiveSet')).toMatchObject({ node: spare, active: false });
  expect(await chain.node(spare)).toMatchObject({ active: false });
});

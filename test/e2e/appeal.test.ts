import { createPublicClient, http } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appealsAbi, corAbi } from '../../src/adapters/chain/abi.ts';
import { auditDeployment } from '../../src/adapters/chain/chain-audit.ts';
import { drawForAppeal } from '../../src/core/appeal-draw.ts';
import { present } from '../../src/core/assert.ts';
import type { ChainFact } from '../../src/core/chain-fact.ts';
import { keccak256 } from '../../src/core/hash.ts';
import { type Address, type EffectId, type TaskId, taskId } from '../../src/core/ids.ts';
import { isMoneyConserved } from '../../src/sim/report.ts';
import { overcount } from '../../src/sim/attacks/overcount.ts';
import { ask, scratch, startTestNetwork, type TestNetwork } from '../kit/local-network.ts';

const place = scratch('appeal');
const counts = { routers: 2, miners: 3, validators: 4, oracles: 2 };
const terms = { validators: 1, appealWindowS: 10, ackTimeoutS: 4, validateTimeoutS: 60 };
const oneCor = 10n ** 18n;
const within = { timeout: 60_000, interval: 200 };
let on: TestNetwork;
let effects = 0;

type Of<Type extends ChainFact['type']> = Extract<ChainFact, { readonly type: Type }>;

/** A miner and a validator that count alike, and not as the others do. */
const liars = { attacks: new Map([[0, overcount]]), validatorAttacks: new Map([[0, overcount]]) };

beforeAll(async () => {
  on = await startTestNetwork(place.path, { counts, ...liars }, terms);
}, 120_000);
afterAll(async () => {
  await on?.network.stop(5_000);
  place.remove();
});

const addresses = (role: 'miners' | 'validators'): readonly Address[] => on.network[role].map(({ address }) => address);

async function facts<Type extends ChainFact['type']>(type: Type, task?: TaskId): Promise<readonly Of<Type>[]> {
  const { chain } = on.network.ports;
  const all = await chain.facts(chain.deployment.fromBlock, (await chain.block()).number);
  const isMeant = (fact: ChainFact): fact is Of<Type> =>
    fact.type === type &&
    (task === undefined || ('task' in fact ? fact.task === task : 'ref' in fact && fact.ref === task));
  return all.filter(isMeant);
}

async function untilFact<Type extends ChainFact['type']>(type: Type, task?: TaskId): Promise<Of<Type>> {
  const find = async (): Promise<Of<Type> | undefined> => (await facts(type, task)).at(-1);
  await expect.poll(find, within).toBeDefined();
  return present(await find(), type);
}

/** Which validators take new work; those that the network knows to be others until it does. */
async function onlyActive(wanted: readonly Address[]): Promise<void> {
  const { chain, directory } = on.network.ports;
  for (const node of addresses('validators')) {
    const active = wanted.includes(node);
    if ((await chain.node(node))?.active === active) continue;
    await chain.send(node, { call: 'setActive', active }, `test:${(effects += 1)}:${node}` as EffectId);
  }
  const known = () => addresses('validators').filter((node) => directory.isActive(node, 'validator'));
  await expect.poll(known, within).toEqual(addresses('validators').filter((node) => wanted.includes(node)));
}

/** Asks while only some validators may be drawn; the others are back once that is done. */
async function askOf(validators: readonly Address[], prompt: string) {
  await onlyActive(validators);
  const before = (await facts('MinersAssigned')).length;
  const asked = ask(on, prompt, { maxTokens: 8 });
  await expect.poll(async () => (await facts('MinersAssigned')).length, within).toBe(before + 1);
  await onlyActive(addresses('validators'));
  return { asked, task: (await untilFact('MinersAssigned')).task };
}

async function expectConserved(): Promise<void> {
  const { deployment } = on.network.ports.chain;
  expect(isMoneyConserved((await auditDeployment(on.network.rpcUrl, deployment)).money)).toBe(true);
  const client = createPublicClient({ transport: http(on.network.rpcUrl) });
  const { appeals: address, cor } = deployment;
  const totals = await client.readContract({ address, abi: appealsAbi, functionName: 'totals' });
  const held = await client.readContract({ address: cor, abi: corAbi, functionName: 'balanceOf', args: [address] });
  expect(held).toBe(totals.heldWei + totals.owedWei);
  expect(totals.bondedWei + totals.rewardedWei).toBe(totals.heldWei + totals.owedWei + totals.withdrawnWei);
}

async function owed(account: Address): Promise<bigint> {
  return BigInt(await on.network.ports.chain.appealOwed(account));
}

async function owedToValidators(): Promise<readonly bigint[]> {
  return Promise.all(addresses('validators').map(owed));
}

describe('an outcome that wrongs a miner', () => {
  it('is overturned by validators that nobody chose, and who was wrong pays for it', async () => {
    const { chain } = on.network.ports;
    const [lyingMiner, ...honest] = addresses('miners');
    const [lyingValidator, ...others] = addresses('validators');
    const { asked, task } = await askOf([present(lyingValidator, 'a validator')], 'What is a dog?');
    const first = await untilFact('ResultValidated', task);
    expect(first).toMatchObject({ winner: lyingMiner, honest: [lyingMiner] });
    const { appellant } = await untilFact('OutcomeAppealed', task);
    expect(honest).toContain(appellant);
    const { view } = await asked;
    const decided = await untilFact('AppealDecided', task);
    expect(decided.overturned).toBe(true);
    expect(decided.honest.toSorted()).toEqual(honest.toSorted());
    const drawn = await untilFact('AppealDrawn', task);
    const draw = { task, beacon: drawn.beacon, wanted: 3, drawn: [] };
    expect(drawn.validators).toEqual(drawForAppeal(draw, others));
    expect(view).toMatchObject({ state: 'settled', winner: decided.winner });
    const { payments } = await untilFact('TaskSettled', task);
    const paid = payments.filter(({ role }) => role === 'miner').map(({ to }) => to);
    expect(paid.toSorted()).toEqual(honest.toSorted());
    const slashed = (await facts('StakeSlashed', task)).map(({ node, reason }) => ({ node, reason }));
    expect(slashed).toContainEqual({ node: lyingValidator, reason: 'contradicted' });
    expect(slashed).toContainEqual({ node: lyingMiner, reason: 'outlier' });
    expect(slashed).toHaveLength(2);
    // The bond is back, with half of the half of what the validator lost.
    expect(await owed(appellant)).toBe(15n * oneCor);
    const before = BigInt(await chain.corBalance(appellant));
    await chain.send(appellant, { call: 'withdrawAppealed' }, `test:withdraw:${appellant}` as EffectId);
    expect(BigInt(await chain.corBalance(appellant)) - before).toBe(15n * oneCor);
    expect(await owed(appellant)).toBe(0n);
    await expectConserved();
  });
});

describe('an outcome that is right', () => {
  it('is upheld though its liar appeals and everything is restarted meanwhile, and the bond is lost', async () => {
    const [lyingMiner, ...honest] = addresses('miners');
    const [, right] = addresses('validators');
    const before = await owedToValidators();
    const { asked, task } = await askOf([present(right, 'a validator')], 'What is a cat?');
    const { appellant } = await untilFact('OutcomeAppealed', task);
    // It counts as it lies, and so finds itself honest.
    expect(appellant).toBe(lyingMiner);
    asked.catch(() => undefined);
    await on.network.stop(1_000);
    expect(
      await asked.then(
        () => 'ended',
        () => 'broken off',
      ),
    ).toBe('broken off');
    on = await startTestNetwork(place.path, { counts }, terms);
    const decided = await untilFact('AppealDecided', task);
    expect(decided).toMatchObject({ overturned: false });
    expect(decided.honest.toSorted()).toEqual(honest.toSorted());
    const { payments } = await untilFact('TaskSettled', task);
    expect(payments).toContainEqual(expect.objectContaining({ to: right, role: 'validator' }));
    expect(payments.map(({ to }) => to)).not.toContain(lyingMiner);
    const slashed = (await facts('StakeSlashed', task)).map(({ node, reason }) => ({ node, reason }));
    expect(slashed).toEqual([{ node: lyingMiner, reason: 'outlier' }]);
    expect(await owed(present(appellant, 'the appellant'))).toBe(0n);
    // The bond goes in equal parts to the task's own validator and to the two drawn whose word decided.
    const gains = (await owedToValidators()).map((amount, index) => amount - (before[index] ?? 0n));
    expect(gains.filter((gain) => gain > 0n)).toEqual(Array.from({ length: 3 }, () => (10n * oneCor) / 3n));
    expect(gains[addresses('validators').indexOf(present(right, 'a validator'))]).toBeGreaterThan(0n);
    await expectConserved();
  });

  it('is upheld against its session’s owner, who asked over the network’s own interface', async () => {
    const { network, demo } = on;
    const held = await network.ports.chain.corBalance(network.client.address);
    const { asked, task } = await askOf(addresses('validators'), 'What is a house?');
    await untilFact('ResultValidated', task);
    const view = await network.front.appeal(task);
    expect(view).toMatchObject({ state: 'validated', appeal: { state: 'open', appellant: network.client.address } });
    expect(await network.front.appeal(task), 'asked again').toMatchObject({ appeal: { state: 'open' } });
    expect(await facts('OutcomeAppealed', task)).toHaveLength(1);
    expect((await asked).view).toMatchObject({ state: 'settled', appeal: { state: 'upheld' } });
    expect(BigInt(held) - BigInt(await network.ports.chain.corBalance(network.client.address))).toBe(10n * oneCor);
    await expect(network.client.appeal(demo.session, task), 'it was made').resolves.toBeUndefined();
    await expectConserved();
  });

  it('cannot be appealed twice, nor one that there is not', async () => {
    const { client } = on.network;
    const { task } = await untilFact('AppealDecided');
    const { session } = on.demo;
    const other = taskId(session, keccak256('never asked'));
    await expect(client.appeal(session, other)).rejects.toMatchObject({ code: 'not_appealable' });
    const stranger = present(on.network.oracles[0], 'an oracle').address;
    expect(await on.network.ports.chain.appealRefusal(stranger, task)).toBe('AlreadyAppealed');
  });
});

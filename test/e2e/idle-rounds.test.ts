import { afterAll, describe, expect, it } from 'vitest';
import { incentives } from '../../src/adapters/chain/economy.ts';
import { digestToCid } from '../../src/core/cid.ts';
import { standingLeaf, standingsTree, type Standing } from '../../src/core/checkpoint.ts';
import { type EffectId, streamId, toAddress } from '../../src/core/ids.ts';
import { datasetContent } from '../../src/messages/rounds.ts';
import type { ChainFact } from '../../src/ports/chain.ts';
import { random } from '../../src/sim/attacks/random.ts';
import type { ReputationState } from '../../src/ports/reputation.ts';
import { chainFaults } from '../kit/chain-faults.ts';
import { ask, scratch, startTestNetwork, type TestNetwork } from '../kit/local-network.ts';

/**
 * Short slots, and epochs that end within the test. A phase ends when all have done their part, so long ones cost nothing,
 * and on a machine with much to do nobody is silent who was not meant to be; who does not reveal is waited for.
 */
const quick = {
  epochS: 60,
  disputeS: 10,
  rulingS: 10,
  roundTimes: { slotS: 20, drawS: 60, createS: 60, prepareS: 60, answerS: 60, revealS: 12, validateS: 60, graceS: 10 },
};
const counts = { routers: 1, miners: 6, validators: 2, oracles: 2 };

type Fact<Type extends ChainFact['type']> = Extract<ChainFact, { readonly type: Type }>;

/** All facts of a type so far. */
async function told<Type extends ChainFact['type']>({ network }: TestNetwork, type: Type): Promise<Fact<Type>[]> {
  const { chain } = network.ports;
  const { number } = await chain.block();
  const facts = await chain.facts(chain.deployment.fromBlock, number);
  return facts.filter((fact): fact is Fact<Type> => fact.type === type);
}

async function untilTold<Type extends ChainFact['type']>(
  on: TestNetwork,
  type: Type,
  isIt: (fact: Fact<Type>) => boolean = () => true,
): Promise<Fact<Type>> {
  let found: Fact<Type> | undefined;
  const look = async (): Promise<boolean> => (found = (await told(on, type)).find(isIt)) !== undefined;
  await expect.poll(look, { timeout: 90_000, interval: 300, message: type }).toBe(true);
  return found as Fact<Type>;
}

/** The names of the streams that nodes keep of idle rounds. */
async function idleStreams({ network }: TestNetwork): Promise<string[]> {
  const streams: string[] = [];
  for await (const { stream } of network.stores.events.heads()) if (stream.startsWith('network.')) streams.push(stream);
  return streams;
}

describe('nodes that are not told to', () => {
  const folder = scratch('idle-off');

  it('take no part; a liar that does is credited nothing, and who is told to stop leaves its pool', async () => {
    const attacks = new Map([[0, random]]);
    const setup = { counts, attacks, incentives: { ...incentives, ...quick } };
    let on = await startTestNetwork(folder.path, setup);
    expect((await on.network.rounds.state()).pools).toEqual({ miner: 0, validator: 0 });
    expect(await idleStreams(on)).toEqual([]);
    await on.network.stop(0);
    try {
      on = await startTestNetwork(folder.path, { ...setup, idleRounds: true });
      const liar = on.network.miners[0]?.address;
      // It lies about what it answers, and has no say about who answers.
      const shown = await untilTold(on, 'AnswerRevealed', ({ miner }) => miner === liar);
      const { honest } = await untilTold(on, 'RoundEnded', ({ round }) => round === shown.round);
      const { miners } = await untilTold(on, 'RoundStarted', ({ round }) => round === shown.round);
      expect((honest >> miners.indexOf(liar!)) & 1).toBe(0);
      const credited = (await told(on, 'IdleWorkCredited')).filter(({ round }) => round === shown.round);
      expect(credited.map(({ node }) => node)).not.toContain(liar);
      expect(await idleStreams(on)).toHaveLength(6 + 2 + 2);
      await on.network.stop(0);
      on = await startTestNetwork(folder.path, setup);
      const pools = async () => (await on.network.rounds.state()).pools;
      await expect.poll(pools, { timeout: 60_000, interval: 500 }).toEqual({ miner: 0, validator: 0 });
    } finally {
      await on.network.stop(5_000);
      folder.remove();
    }
  }, 300_000);
});

describe('idle nodes', () => {
  const folder = scratch('idle');
  const faults = chainFaults();
  const options = { counts, incentives: { ...incentives, ...quick }, idleRounds: true, checkpointEveryMs: 500 };
  let on: TestNetwork;

  afterAll(async () => {
    await on?.network.stop(5_000);
    folder.remove();
  });

  it('work on a round from its request to its credits, beside a paying task', async () => {
    on = await startTestNetwork(folder.path, { ...options, wrapChain: (chain) => faults.wrap(chain) });
    const { round } = await untilTold(on, 'RoundStarted');
    // A paying task goes first, and the round goes on after it.
    const { view } = await ask(on, 'What is a dog?', { maxTokens: 16 });
    expect(view.state).toBe('settled');
    const ended = await untilTold(on, 'RoundEnded');
    expect(ended.round).toBeGreaterThanOrEqual(round);
    const content = await on.network.ports.content.get(digestToCid(ended.datasetDigest), { timeoutMs: 5_000 });
    const dataset = datasetContent.parse(content);
    expect(dataset.rows).toHaveLength(3);
    for (const { question, answers } of dataset.rows) {
      expect(question).toMatch(/^What does .+ mean\?$/);
      // Greedy answers of one model are one answer, whoever gives it.
      expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    }
    const credited = (await told(on, 'IdleWorkCredited')).filter((fact) => fact.round === ended.round);
    const sum = credited.reduce((total, { credits }) => total + credits, 0);
    expect(sum).toBe(1 + 1 + 4 * dataset.scores.length + 2);
    expect(await on.network.rounds.state()).toMatchObject({ pools: { miner: 6, validator: 2 } });
  }, 150_000);

  it('lose what they should where they are silent: the bound one its stake, and its place', async () => {
    let mute: string | undefined;
    const heal = faults.cut((from, { call }) => call === 'revealAnswers' && from === (mute ??= from));
    const slashed = await untilTold(on, 'StakeSlashed', ({ node }) => node === mute);
    expect(slashed).toMatchObject({ reason: 'unrevealed', amountWei: `20${'0'.repeat(18)}` });
    const missed = await untilTold(on, 'NodeMissed', ({ node }) => node === mute);
    expect(missed).toMatchObject({ phase: 'revealing', replacement: null });
    expect(await on.network.rounds.isInPool('miner', toAddress(mute ?? ''))).toBe(false);
    heal();
    // The others are judged and paid all the same.
    await untilTold(on, 'RoundEnded', (fact) => fact.round === missed.round);
    const credited = (await told(on, 'IdleWorkCredited')).filter((fact) => fact.round === missed.round);
    expect(credited.map(({ node }) => node)).not.toContain(mute);
    const own = on.network.miners.find(({ address }) => address === mute);
    expect(own?.idle?.state.value).toBe('out');
    const noted: object[] = [];
    for await (const { commit } of on.network.stores.events.read(streamId('network', mute ?? '')))
      noted.push(...commit.events);
    expect(noted).toContainEqual(expect.objectContaining({ type: 'NodeMissed', round: missed.round, node: mute }));
  }, 150_000);

  it('go on after a restart in mid-round', async () => {
    const known = (await told(on, 'RoundStarted')).length;
    await expect.poll(async () => (await told(on, 'RoundStarted')).length, { timeout: 90_000 }).toBeGreaterThan(known);
    const { round } = (await told(on, 'RoundStarted')).at(-1)!;
    await on.network.stop(0);
    on = await startTestNetwork(folder.path, options);
    await untilTold(on, 'RoundEnded', (fact) => fact.round === round);
    expect((await told(on, 'RoundRequested')).filter((fact) => fact.round === round)).toHaveLength(1);
    const precommits = (await told(on, 'AnswerPrecommitted')).filter((fact) => fact.round === round);
    expect(new Set(precommits.map(({ miner }) => miner)).size).toBe(precommits.length);
  }, 150_000);

  it('have credits that end in a checkpoint and are claimed', async () => {
    const { network } = on;
    let found: ReputationState['newest'];
    const counted = async (): Promise<number> => {
      found = (await network.reputation.state()).newest;
      return found?.state === 'final' ? found.checkpoint.idleWork : 0;
    };
    await expect.poll(counted, { timeout: 200_000, interval: 500 }).toBeGreaterThan(0);
    const { checkpoint } = found!;
    const manifest = await network.ports.content.get(digestToCid(checkpoint.manifestDigest), { timeoutMs: 5_000 });
    const { standings } = manifest as unknown as { readonly standings: readonly Standing[] };
    const standing = standings.find(({ idleWork }) => idleWork > 0)!;
    const proof = standingsTree(standings).proof(standingLeaf(standing));
    const { chain } = network.ports;
    const before = BigInt(await chain.corBalance(standing.node));
    const claim = { call: 'claimReward', epoch: checkpoint.epoch, standing, proof } as const;
    await chain.send(network.client.base.identity.address, claim, 'test.claim:0' as EffectId);
    const paid = BigInt(await chain.corBalance(standing.node)) - before;
    expect(paid).toBe((incentives.firstEmissionWei * BigInt(standing.idleWork)) / BigInt(checkpoint.idleWork));
  }, 240_000);
});

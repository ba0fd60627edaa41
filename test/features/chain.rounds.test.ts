import { afterEach, beforeEach, expect, test } from 'vitest';
import { openRoundsChain } from '../../src/adapters/chain/rounds.ts';
import { type Hex, hashJson } from '../../src/core/hash.ts';
import { type Address, type TaskId, toAddress } from '../../src/core/ids.ts';
import { numberedPrecommitHash } from '../../src/core/precommit.ts';
import { drawMembers, drawSeed, roundTask } from '../../src/core/round-draw.ts';
import { roundOutcomeDigest } from '../../src/core/round-outcome.ts';
import { signatureBytes } from '../../src/core/signature-bytes.ts';
import type { ChainCall, ChainFact } from '../../src/ports/chain.ts';
import type { RoundsChain } from '../../src/ports/rounds.ts';
import { effect } from './chain.harness.ts';
import { type LocalChain, startLocalChain } from './chain.local-chain.ts';
import { pouwError } from './pouw-error.ts';

type Fact<Type extends ChainFact['type']> = Extract<ChainFact, { readonly type: Type }>;

let harness: LocalChain;
let rounds: RoundsChain;
let sent: number;

beforeEach(async () => {
  harness = await startLocalChain();
  rounds = await openRoundsChain({ rpcUrl: harness.anvil.url, deployment: harness.deployment });
  sent = 0;
}, 120_000);
afterEach(() => harness.close());

const digest = (text: string): Hex => `0x${hashJson(text)}`;
const pool = (): Address[] => [...harness.cast.miners, harness.cast.spareMiner];

/** Sends a call. @returns its facts. */
async function send(from: Address, call: ChainCall): Promise<readonly ChainFact[]> {
  sent += 1;
  return (await harness.chain.send(from, call, effect(`rounds-${sent}`))).facts;
}

/** The only fact of a type; it must be there. */
function only<Type extends ChainFact['type']>(facts: readonly ChainFact[], type: Type): Fact<Type> {
  const found = facts.filter((fact): fact is Fact<Type> => fact.type === type);
  expect(found.map((fact) => fact.type)).toEqual([type]);
  return found[0] as Fact<Type>;
}

/** Puts everybody into the pools and brings a round to its answers. */
async function started() {
  const { cast } = harness;
  for (const miner of pool()) await send(miner, { call: 'joinPool', role: 'miner' });
  for (const validator of cast.validators) await send(validator, { call: 'joinPool', role: 'validator' });
  const requested = only(await send(cast.oracle, { call: 'requestRound' }), 'RoundRequested');
  const { round } = requested;
  await harness.chain.waitForBlock(requested.beaconBlock + 1);
  const crew = only(await send(cast.oracle, { call: 'drawCrew', round }), 'CrewDrawn');
  const topicDigest = digest('topic');
  await send(crew.creator, { call: 'createRound', round, topicDigest });
  const made = { call: 'prepareRound', round, questionsDigest: digest('questions') } as const;
  const prepared = only(await send(crew.preparer, made), 'RoundPrepared');
  await harness.chain.waitForBlock(prepared.beaconBlock + 1);
  const begun = only(await send(cast.oracle, { call: 'startRound', round }), 'RoundStarted');
  return { round, requested, crew, prepared, begun };
}

const salt = digest('salt');
function bound(round: number, miner: Address): Hex {
  const { chainId, network } = harness.deployment;
  const task = roundTask(chainId, network, round) as TaskId;
  const of = { chainId, queueContract: network, session: round, task, step: 2, attempt: 0 };
  return numberedPrecommitHash({ ...of, miner, resultRoot: digest(miner), salt });
}

test('a round is asked for, drawn, worked on, judged and credited, each step a fact', async () => {
  const { cast, deployment } = harness;
  const { chainId, network } = deployment;
  const { round, requested, crew, prepared, begun } = await started();
  expect(requested.by).toBe(cast.oracle);
  // The draws are those that anybody can recompute.
  const seed = (beacon: Hex, role: number) => drawSeed(beacon, roundTask(chainId, network, round), role);
  const drawn = drawMembers(pool(), seed(crew.beacon, 3), 4, () => true);
  expect([crew.creator, crew.preparer, ...crew.standbys]).toEqual(drawn);
  const crewOnly = new Set([crew.creator, crew.preparer]);
  const answerers = drawMembers(pool(), seed(begun.beacon, 3), 5, (miner) => !crewOnly.has(miner));
  expect(begun.miners).toEqual(answerers);
  expect([...begun.validators].toSorted()).toEqual([...cast.validators].toSorted());
  expect(prepared.drawBy - prepared.place.blockAt).toBe(120_000);

  const [first, second] = begun.miners as [Address, Address];
  const precommitted = only(
    await send(first, { call: 'precommitAnswers', round, hash: bound(round, first) }),
    'AnswerPrecommitted',
  );
  expect(precommitted).toMatchObject({ miner: first, hash: bound(round, first) });
  const last = await send(second, { call: 'precommitAnswers', round, hash: bound(round, second) });
  const allBound = only(last.slice(1), 'AnswersPrecommitted');
  expect(allBound.revealBy - allBound.place.blockAt).toBe(30_000);
  const shown = (miner: Address) =>
    ({ call: 'revealAnswers', round, resultRoot: digest(miner), salt, resultDigest: digest(`${miner}'s`) }) as const;
  await expect(send(second, shown(first))).rejects.toMatchObject({
    code: 'chain_reverted',
    details: { reason: 'PrecommitMismatch' },
  });
  const reveal = only(await send(first, shown(first)), 'AnswerRevealed');
  expect(reveal).toMatchObject({ miner: first, resultRoot: digest(first), resultDigest: digest(`${first}'s`) });
  const shownAll = only((await send(second, shown(second))).slice(1), 'AnswersRevealed');
  expect(await rounds.round(round)).toMatchObject({
    state: 'validating',
    phaseBy: shownAll.validateBy,
    creator: crew.creator,
    answers: [first, second].map((miner) => ({ miner, precommitted: true, revealed: true })),
  });

  const outcome = { round, datasetDigest: digest('data set'), honest: 0b01 };
  const hash = roundOutcomeDigest(chainId, network, outcome);
  const signers = [...cast.validators].toSorted();
  const signatures: Hex[] = [];
  for (const one of signers) signatures.push(signatureBytes(await harness.chain.signDigest(one, hash)));
  const few = { call: 'endRound', ...outcome, signatures: signatures.slice(1) } as const;
  await expect(send(cast.router, few)).rejects.toEqual(pouwError('chain_reverted'));
  const end = await send(cast.router, { call: 'endRound', ...outcome, signatures });
  expect(only(end.slice(0, 1), 'RoundEnded')).toMatchObject({ ...outcome, validators: signers });
  const credits = end.filter((fact): fact is Fact<'IdleWorkCredited'> => fact.type === 'IdleWorkCredited');
  expect(credits.map(({ node, credits: count }) => [node, count])).toEqual([
    [crew.creator, 1],
    [crew.preparer, 1],
    [first, 4],
    ...signers.map((one) => [one, 1]),
  ]);
  expect(await rounds.state()).toMatchObject({
    newest: { round, state: 'ended' },
    pools: { miner: 4, validator: 2 },
    epoch: 1,
    credits: 8,
  });
  // What a start would find again of a lost journal, and what a follower reads.
  const { number } = await harness.chain.block();
  const told = await harness.chain.facts(deployment.fromBlock, number);
  expect(told.filter((fact) => 'round' in fact && fact.type !== 'IdleWorkCredited').map(({ type }) => type)).toEqual([
    'RoundRequested',
    'CrewDrawn',
    'RoundCreated',
    'RoundPrepared',
    'RoundStarted',
    'AnswerPrecommitted',
    'AnswerPrecommitted',
    'AnswersPrecommitted',
    'AnswerRevealed',
    'AnswerRevealed',
    'AnswersRevealed',
    'RoundEnded',
  ]);
}, 120_000);

test('who is silent is named, replaced, out of the pool, and slashed where it was bound', async () => {
  const { cast } = harness;
  expect(await rounds.state()).toMatchObject({ newest: undefined, pools: { miner: 0, validator: 0 }, credits: 0 });
  expect(await rounds.round(1)).toMatchObject({ state: 'none', creator: null, answers: [] });
  const terms = await rounds.terms();
  expect(terms).toMatchObject({ slotS: 600, createS: 60, prepareS: 60, graceS: 30 });
  expect((await rounds.state()).at).toBeGreaterThanOrEqual(terms.startsAt);
  const { round, begun } = await started();
  const [first, second] = begun.miners as [Address, Address];
  for (const miner of [first, second])
    await send(miner, { call: 'precommitAnswers', round, hash: bound(round, miner) });
  const shown = { resultRoot: digest(first), salt, resultDigest: digest('answers') };
  await send(first, { call: 'revealAnswers', round, ...shown });
  await expect(send(cast.oracle, { call: 'advanceRound', round })).rejects.toMatchObject({
    details: { reason: 'NotDue' },
  });
  await harness.passTime(31);
  const late = await send(cast.oracle, { call: 'advanceRound', round });
  // It had staked the minimum, so it is out of work besides.
  const told = ['AnswersRevealed', 'PoolLeft', 'NodeMissed', 'StakeSlashed', 'NodeActiveSet'];
  expect(late.map(({ type }) => type)).toEqual(told);
  expect(late[1]).toMatchObject({ role: 'miner', node: second });
  expect(late[2]).toMatchObject({ round, node: second, phase: 'revealing', replacement: null });
  expect(late[3]).toMatchObject({ node: second, reason: 'unrevealed', amountWei: `20${'0'.repeat(18)}` });
  expect(await rounds.isInPool('miner', second)).toBe(false);
  expect(await rounds.isInPool('miner', first)).toBe(true);
  await harness.passTime(61);
  const failed = await send(cast.oracle, { call: 'advanceRound', round });
  expect(only(failed, 'RoundFailed').reason).toBe('not-validated');
  // The next slot: a creator that is silent is replaced by a standby.
  await harness.passTime(600);
  const next = only(await send(cast.oracle, { call: 'requestRound' }), 'RoundRequested');
  await harness.chain.waitForBlock(next.beaconBlock + 1);
  const crew = only(await send(cast.oracle, { call: 'drawCrew', round: next.round }), 'CrewDrawn');
  await harness.passTime(61);
  const missed = only((await send(cast.oracle, { call: 'advanceRound', round: next.round })).slice(1), 'NodeMissed');
  const replacement = toAddress(crew.standbys[0] ?? '');
  expect(missed).toMatchObject({ node: crew.creator, phase: 'creating', replacement });
  const quit = await send(cast.validators[0], { call: 'quitPool', role: 'validator' });
  expect(quit).toMatchObject([{ type: 'PoolLeft', role: 'validator', node: cast.validators[0] }]);
}, 120_000);

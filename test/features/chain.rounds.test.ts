import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Hex } from '../../src/core/hash.ts';
import { type Address, toAddress } from '../../src/core/ids.ts';
import { drawMembers, drawSeed, roundTask } from '../../src/core/round-draw.ts';
import { type LocalChain, startLocalChain } from './chain.local-chain.ts';
import { type Fact, only, roundDigest, RoundStage, slotS } from './chain.round-stage.ts';
import { pouwError } from './pouw-error.ts';

// One chain for both: the second plays in later slots.
let harness: LocalChain;
let stage: RoundStage;

beforeAll(async () => {
  harness = await startLocalChain();
  stage = new RoundStage(harness);
  await stage.join();
}, 120_000);
afterAll(() => harness.close());

test('a round is asked for, drawn, worked on, judged and credited, each step a fact', async () => {
  const { cast, deployment } = harness;
  const { chainId, network } = deployment;
  const { round, requested, crew, prepared, begun } = await stage.begin();
  expect(requested.by).toBe(cast.oracle);
  // The draws are those that anybody can recompute.
  const seed = (beacon: Hex, role: number) => drawSeed(beacon, roundTask(chainId, network, round), role);
  const drawn = drawMembers(stage.miners, seed(crew.beacon, 3), 4, () => true);
  expect([crew.creator, crew.preparer, ...crew.standbys]).toEqual(drawn);
  const crewOnly = new Set([crew.creator, crew.preparer]);
  const answerers = drawMembers(stage.miners, seed(begun.beacon, 3), 5, (miner) => !crewOnly.has(miner));
  expect(begun.miners).toEqual(answerers);
  expect([...begun.validators].toSorted()).toEqual([...cast.validators].toSorted());
  expect(prepared.drawBy - prepared.place.blockAt).toBe(120_000);

  const [first, second] = begun.miners as [Address, Address];
  const precommitted = only(await stage.precommit(round, first), 'AnswerPrecommitted');
  expect(precommitted).toMatchObject({ miner: first, hash: stage.bound(round, first) });
  const last = await stage.precommit(round, second);
  const allBound = only(last.slice(1), 'AnswersPrecommitted');
  expect(allBound.revealBy - allBound.place.blockAt).toBe(30_000);
  await expect(stage.reveal(round, second, first)).rejects.toMatchObject({
    code: 'chain_reverted',
    details: { reason: 'PrecommitMismatch' },
  });
  const reveal = only(await stage.reveal(round, first), 'AnswerRevealed');
  const resultDigest = roundDigest(`${first}'s`);
  expect(reveal).toMatchObject({ miner: first, resultRoot: roundDigest(first), resultDigest });
  const shownAll = only((await stage.reveal(round, second)).slice(1), 'AnswersRevealed');
  expect(shownAll.validateBy - shownAll.place.blockAt).toBe(60_000);

  const outcome = { round, datasetDigest: roundDigest('data set'), honest: 0b01 };
  const signers = cast.validators.toSorted();
  const signatures = await stage.sign(outcome);
  await expect(stage.end(outcome, signatures.slice(1))).rejects.toEqual(pouwError('chain_reverted'));
  const end = await stage.end(outcome, signatures);
  expect(only(end.slice(0, 1), 'RoundEnded')).toMatchObject({ ...outcome, validators: signers });
  const credits = end.filter((fact): fact is Fact<'IdleWorkCredited'> => fact.type === 'IdleWorkCredited');
  expect(credits.map(({ node, credits: count }) => [node, count])).toEqual([
    [crew.creator, 1],
    [crew.preparer, 1],
    [first, 4],
    ...signers.map((one) => [one, 1]),
  ]);
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
  await harness.passTime(slotS);
  const { round, begun } = await stage.begin();
  const [first, second] = begun.miners as [Address, Address];
  for (const miner of [first, second]) await stage.precommit(round, miner);
  await stage.reveal(round, first);
  await expect(stage.send(cast.oracle, { call: 'advanceRound', round })).rejects.toMatchObject({
    details: { reason: 'NotDue' },
  });
  await harness.passTime(31);
  const late = await stage.send(cast.oracle, { call: 'advanceRound', round });
  // It had staked the minimum, so it is out of work besides.
  const told = ['AnswersRevealed', 'PoolLeft', 'NodeMissed', 'StakeSlashed', 'NodeActiveSet'];
  expect(late.map(({ type }) => type)).toEqual(told);
  expect(late[1]).toMatchObject({ role: 'miner', node: second });
  expect(late[2]).toMatchObject({ round, node: second, phase: 'revealing', replacement: null });
  expect(late[3]).toMatchObject({ node: second, reason: 'unrevealed', amountWei: `20${'0'.repeat(18)}` });
  await harness.passTime(61);
  const failed = await stage.send(cast.oracle, { call: 'advanceRound', round });
  expect(only(failed, 'RoundFailed').reason).toBe('not-validated');
  // The next slot: a creator that is silent is replaced by a standby.
  await harness.passTime(slotS);
  const crew = await stage.draw(await stage.request());
  await harness.passTime(61);
  const missed = only(
    (await stage.send(cast.oracle, { call: 'advanceRound', round: crew.round })).slice(1),
    'NodeMissed',
  );
  const replacement = toAddress(crew.standbys[0] ?? '');
  expect(missed).toMatchObject({ node: crew.creator, phase: 'creating', replacement });
  const quit = await stage.send(cast.validators[0], { call: 'quitPool', role: 'validator' });
  expect(quit).toMatchObject([{ type: 'PoolLeft', role: 'validator', node: cast.validators[0] }]);
}, 120_000);

import { expect } from 'vitest';
import type { Address } from '../../src/core/ids.ts';
import type { RoundRecord, RoundsChain } from '../../src/ports/rounds.ts';
import { roundDigest, type RoundStage, type RoundStageHarness } from './chain.round-stage.ts';
import { type Disposable, type Feature, testFeatures } from './feature.ts';
import { pouwError } from './pouw-error.ts';

/**
 * The rounds of a prepared chain, and the chain itself to play them on. All features may be checked on the same chain, in
 * their order, which nobody had asked for a round on before.
 */
export interface RoundsHarness extends Disposable, RoundStageHarness {
  readonly rounds: RoundsChain;
  /** Who plays on it: one for all features of a chain. */
  readonly stage: RoundStage;
  /** The same for a chain that is gone. */
  readonly lost: () => Promise<RoundsChain>;
}

/** A round of which nothing is known but that it was asked for. */
const empty = { creator: null, preparer: null, answers: [], validators: [] } as const;

/** Checks that a round is as it should be, by its number and as the newest one. */
async function expectRound({ rounds }: RoundsHarness, record: RoundRecord): Promise<void> {
  expect(await rounds.round(record.round)).toEqual(record);
  expect((await rounds.state()).newest).toEqual(record);
}

/** Lets the deadline of a round's phase pass. */
async function passPhase({ rounds, passTime }: RoundsHarness, round: number): Promise<void> {
  const [{ phaseBy }, { at }] = [await rounds.round(round), await rounds.state()];
  await passTime((phaseBy - at) / 1_000 + 1);
}

async function playsToItsEnd(harness: RoundsHarness): Promise<void> {
  const { rounds, cast, stage } = harness;
  const before = await rounds.state();
  expect(before).toMatchObject({ newest: undefined, pools: { miner: 0, validator: 0 }, credits: 0 });
  expect(await rounds.isInPool('miner', cast.spareMiner)).toBe(false);
  await stage.join();
  expect(await rounds.isInPool('miner', cast.spareMiner)).toBe(true);
  expect(await rounds.isInPool('validator', cast.spareMiner)).toBe(false);
  const requested = await stage.request();
  const { round } = requested;
  await expectRound(harness, { round, ...empty, state: 'requested', phaseBy: requested.drawBy });
  expect(await rounds.state()).toMatchObject({ slot: round, pools: { miner: 4, validator: 2 } });
  const drawn = await stage.draw(requested);
  const crew = { ...empty, round, creator: drawn.creator, preparer: drawn.preparer };
  await expectRound(harness, { ...crew, state: 'creating', phaseBy: drawn.createBy });
  await expectRound(harness, { ...crew, state: 'preparing', phaseBy: (await stage.create(drawn)).prepareBy });
  const prepared = await stage.prepare(drawn);
  await expectRound(harness, { ...crew, state: 'prepared', phaseBy: prepared.drawBy });
  const { miners, validators, precommitBy } = await stage.start(prepared);
  const [first, second] = miners as [Address, Address];
  const after = (precommitted: readonly Address[], revealed: readonly Address[]) => ({
    ...crew,
    validators,
    answers: miners.map((miner) => {
      return { miner, precommitted: precommitted.includes(miner), revealed: revealed.includes(miner) };
    }),
  });
  await expectRound(harness, { ...after([], []), state: 'answering', phaseBy: precommitBy });
  await stage.precommit(round, first);
  await expectRound(harness, { ...after([first], []), state: 'answering', phaseBy: precommitBy });
  await stage.precommit(round, second);
  await stage.reveal(round, second);
  expect(await rounds.round(round)).toMatchObject({ ...after(miners, [second]), state: 'revealing' });
  await stage.reveal(round, first);
  const judged = await rounds.round(round);
  expect(judged).toMatchObject({ ...after(miners, miners), state: 'validating' });
  expect(judged.phaseBy).toBeGreaterThan((await rounds.state()).at);

  // As many signatures as it says are enough, and one less is not.
  const outcome = { round, datasetDigest: roundDigest('data set'), honest: 0b01 };
  const signatures = await stage.sign(outcome);
  const enough = signatures.slice(0, await rounds.quorum(validators.length));
  await expect(stage.end(outcome, enough.slice(1))).rejects.toEqual(pouwError('chain_reverted'));
  const facts = await stage.end(outcome, enough);
  expect(await rounds.state()).toMatchObject({ newest: { round, state: 'ended' }, epoch: before.epoch });
  const given = facts.map((fact) => (fact.type === 'IdleWorkCredited' ? fact.credits : 0));
  expect((await rounds.state()).credits).toBe(given.reduce((sum, credits) => sum + credits, 0));
}

/** What the network sessions on chain promise. */
export const roundsFeatureList: readonly Feature<RoundsHarness>[] = [
  { name: 'shows a round from before it is asked for to its end, and what it earned', check: playsToItsEnd },
  {
    name: 'shows who was silent in a round that failed, and has it in no pool any more',
    check: async (harness) => {
      const { rounds, cast, passTime, stage } = harness;
      await stage.join();
      await passTime((await rounds.terms()).slotS);
      const { round, begun } = await stage.begin();
      const [first, second] = begun.miners as [Address, Address];
      for (const miner of [first, second]) await stage.precommit(round, miner);
      await stage.reveal(round, first);
      const { pools } = await rounds.state();
      await passPhase(harness, round);
      await stage.send(cast.oracle, { call: 'advanceRound', round });
      const answers = [first, second].map((miner) => ({ miner, precommitted: true, revealed: miner === first }));
      expect(await rounds.round(round)).toMatchObject({ state: 'validating', answers });
      expect(await Promise.all([first, second].map((one) => rounds.isInPool('miner', one)))).toEqual([true, false]);
      expect((await rounds.state()).pools).toEqual({ ...pools, miner: pools.miner - 1 });
      await passPhase(harness, round);
      await stage.send(cast.oracle, { call: 'advanceRound', round });
      expect((await rounds.state()).newest).toMatchObject({ round, state: 'failed', answers });
    },
  },
  {
    name: 'says the slots and deadlines, and which slot it is in which block',
    check: async ({ rounds, chain, passTime }) => {
      const terms = await rounds.terms();
      for (const seconds of Object.values(terms)) expect(seconds).toBeGreaterThan(0);
      const slots: number[] = [];
      for (const _ of [1, 2]) {
        const from = (await chain.block()).number;
        const { at, block, slot } = await rounds.state();
        expect(block).toBeGreaterThanOrEqual(from);
        expect((await chain.block(block)).at).toBe(at);
        expect(slot).toBe(Math.floor((at - terms.startsAt) / (terms.slotS * 1_000)) + 1);
        slots.push(slot);
        await passTime(terms.slotS);
      }
      expect(slots[1]).toBeGreaterThan(slots[0] ?? 0);
    },
  },
  {
    name: 'has no round that nobody has asked for',
    check: async ({ rounds }) => {
      expect(await rounds.round(1_000_000)).toEqual({ ...empty, round: 1_000_000, state: 'none', phaseBy: 0 });
    },
  },
  {
    name: 'knows who is in a pool, and how many are, also after somebody left',
    check: async ({ rounds, cast, stage }) => {
      const [node] = cast.validators;
      for (const _ of [1, 2]) {
        const [isIn, { pools }] = [await rounds.isInPool('validator', node), await rounds.state()];
        await stage.send(node, { call: isIn ? 'quitPool' : 'joinPool', role: 'validator' });
        expect(await rounds.isInPool('validator', node)).toBe(!isIn);
        const validator = pools.validator + (isIn ? -1 : 1);
        expect((await rounds.state()).pools).toEqual({ ...pools, validator });
      }
    },
  },
  {
    name: 'needs more than half of the validators, and never more than there are',
    check: async ({ rounds }) => {
      for (let validators = 1; validators <= 9; validators += 1) {
        const quorum = await rounds.quorum(validators);
        expect(quorum).toBeGreaterThan(validators / 2);
        expect(quorum).toBeLessThanOrEqual(validators);
      }
    },
  },
  {
    name: 'says that the chain cannot be reached',
    check: async ({ lost, cast }) => {
      const rounds = await lost();
      const asked = [
        rounds.terms(),
        rounds.state(),
        rounds.round(1),
        rounds.isInPool('miner', cast.spareMiner),
        rounds.quorum(2),
      ];
      for (const one of await Promise.allSettled(asked))
        expect(one).toMatchObject({ reason: pouwError('chain_unreachable') });
    },
  },
];

/** The contract of the RoundsChain port. */
export function roundsFeatures(name: string, make: () => Promise<RoundsHarness>): void {
  testFeatures('rounds', name, roundsFeatureList, make);
}

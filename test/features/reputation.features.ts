import { expect } from 'vitest';
import { type Checkpoint, disputeBondWei, type Ruling } from '../../src/core/checkpoint.ts';
import type { Hex } from '../../src/core/hash.ts';
import type { Address } from '../../src/core/ids.ts';
import { wei } from '../../src/core/wei.ts';
import type { ChainCall, ChainReceipt } from '../../src/ports/chain.ts';
import type { PostedCheckpoint, ReputationChain } from '../../src/ports/reputation.ts';
import { digest, effect } from './chain.harness.ts';
import { type Fact, roundDigest, type RoundStage, type RoundStageHarness, slotS } from './chain.round-stage.ts';
import { type Disposable, type Feature, testFeatures } from './feature.ts';
import { pouwError } from './pouw-error.ts';

/**
 * The reputation contract of a prepared chain with one oracle, the cast's, and the chain itself to post on. All features
 * may be checked on the same chain, in their order, which nothing had been posted on before.
 */
export interface ReputationHarness extends Disposable, RoundStageHarness {
  readonly reputation: ReputationChain;
  /** Who plays rounds on it. */
  readonly stage: RoundStage;
  /** The same for a chain that is gone. */
  readonly lost: () => Promise<ReputationChain>;
}

const stranger = `0x${'5a'.repeat(20)}` as Address;
const dayS = 86_400;

const some: Checkpoint = {
  epoch: 1,
  skipped: 0,
  fromPosition: 1,
  toPosition: 3,
  anchorEpoch: 1,
  idleWork: 0,
  nodes: 2,
  revision: 0,
  root: digest('a root'),
  manifestDigest: digest('a manifest'),
};
const ruling: Ruling = { epoch: 1, root: some.root, revision: 0, stands: false };

function send({ chain }: ReputationHarness, from: Address, call: ChainCall, name: string): Promise<ChainReceipt> {
  return chain.send(from, call, effect(`reputation-${name}`));
}

/** Has the oracle sign a checkpoint, and posts it. @returns when, in milliseconds since 1970. */
async function post(harness: ReputationHarness, checkpoint: Checkpoint, name: string): Promise<number> {
  const { reputation, chain, cast } = harness;
  const signatures = [await reputation.sign(cast.oracle, checkpoint)];
  expect(signatures).toHaveLength((await reputation.state()).quorum);
  const { block } = await send(harness, cast.client, { call: 'postCheckpoint', checkpoint, signatures }, name);
  return (await chain.block(block)).at;
}

/** Anchors, and lets the epoch pass: a checkpoint of it may be posted then. */
async function endEpoch(harness: ReputationHarness, name: string): Promise<void> {
  const anchor = { call: 'anchor', root: digest(name), manifestDigest: digest(`${name}'s`), commits: 3 } as const;
  await send(harness, harness.cast.router, anchor, `anchor-${name}`);
  await harness.passTime(dayS);
}

const newest = async ({ reputation }: ReputationHarness): Promise<PostedCheckpoint | undefined> =>
  (await reputation.state()).newest;

async function followsDisputes(harness: ReputationHarness): Promise<void> {
  const { reputation, cast } = harness;
  const fresh = await reputation.state();
  expect(fresh).toMatchObject({ endedEpoch: 0, newest: undefined, revision: 0, quorum: 1, rulingQuorum: 1 });
  expect(fresh.endedAt).toBeLessThanOrEqual(fresh.at);
  await endEpoch(harness, 'first');
  const over = await reputation.state();
  expect(over).toMatchObject({ endedEpoch: 1, endedAt: fresh.endedAt + dayS * 1_000, newest: undefined });
  const { endedAt, disputeMs } = over;

  const dueAt = (await post(harness, some, 'post')) + disputeMs;
  const open = { checkpoint: some, endedAt, dueAt, disputer: undefined, before: undefined };
  expect(await newest(harness)).toEqual({ ...open, state: 'open' });

  // Whoever disputes it has put down a bond, and has it back where the oracles say that it is false.
  const disputer = cast.client;
  expect(await reputation.allowance(disputer)).toBe(wei(0));
  await send(harness, disputer, { call: 'approve', spender: 'reputation', amountWei: disputeBondWei }, 'approve');
  expect(await reputation.allowance(disputer)).toBe(disputeBondWei);
  await send(harness, disputer, { call: 'disputeCheckpoint', epoch: 1, claimDigest: digest('found') }, 'dispute');
  expect(await reputation.allowance(disputer)).toBe(wei(0));
  const disputed = await newest(harness);
  expect(disputed).toMatchObject({ checkpoint: some, state: 'disputed', disputer, before: undefined });
  expect(disputed?.dueAt).toBeGreaterThan((await reputation.state()).at);
  expect([await reputation.owed(disputer), await reputation.withdrawals(disputer)]).toEqual([wei(0), 0]);
  const rule = async (name: string, signatures: readonly Hex[]): Promise<ChainReceipt> =>
    send(harness, cast.router, { call: 'ruleCheckpoint', epoch: 1, stands: false, signatures }, name);
  await expect(rule('rule-alone', [])).rejects.toEqual(pouwError('chain_reverted'));
  await rule('rule', [await reputation.signRuling(cast.oracle, ruling)]);
  expect(await reputation.state()).toMatchObject({ newest: undefined, revision: 1 });
  expect([await reputation.owed(disputer), await reputation.withdrawals(disputer)]).toEqual([disputeBondWei, 0]);
  await send(harness, disputer, { call: 'withdrawDisputeBond' }, 'withdraw');
  expect([await reputation.owed(disputer), await reputation.withdrawals(disputer)]).toEqual([wei(0), 1]);
  expect(await reputation.withdrawals(cast.router)).toBe(0);

  // The next one counts once nobody can dispute it any more, and the one after stands on top of it.
  const again = { ...some, revision: 1 };
  await post(harness, again, 'post-again');
  await harness.passTime(disputeMs / 1_000 + 1);
  const final = await newest(harness);
  expect(final).toMatchObject({ checkpoint: again, state: 'final', endedAt, disputer: undefined, before: undefined });
  expect(final?.dueAt).toBeLessThanOrEqual((await reputation.state()).at);
  await harness.passTime(dayS);
  await endEpoch(harness, 'third');
  const { endedEpoch, endedAt: thirdEndedAt } = await reputation.state();
  const next = { ...again, epoch: endedEpoch, skipped: endedEpoch - 2, fromPosition: 4, toPosition: 6, anchorEpoch: 2 };
  await post(harness, next, 'post-next');
  const before = { anchorEpoch: 1, disputer: undefined };
  const onTop = { checkpoint: next, state: 'open', endedAt: thirdEndedAt, before };
  expect(await newest(harness)).toMatchObject(onTop);
}

/** What the reputation contract promises to oracles. */
export const reputationFeatureList: readonly Feature<ReputationHarness>[] = [
  { name: 'shows a checkpoint from its posting over disputes to the one on top of it', check: followsDisputes },
  {
    name: 'has the idle work of the nodes that did some in an epoch, and of no others',
    check: async (harness) => {
      const { reputation, stage, passTime } = harness;
      await passTime(slotS);
      await stage.join();
      const { round, crew, begun } = await stage.begin();
      const [first, second] = begun.miners as [Address, Address];
      for (const miner of [first, second]) await stage.precommit(round, miner);
      for (const miner of [first, second]) await stage.reveal(round, miner);
      const outcome = { round, datasetDigest: roundDigest('data set'), honest: 0b01 };
      const facts = await stage.end(outcome, await stage.sign(outcome));
      const credited = facts.filter((fact): fact is Fact<'IdleWorkCredited'> => fact.type === 'IdleWorkCredited');
      const credits = new Map(credited.map(({ node, credits: count }) => [node, count]));
      expect(credits.get(first)).toBeGreaterThan(0);
      expect(credits.has(second)).toBe(false);
      const epoch = credited[0]?.epoch ?? 0;
      const everybody = [...credits.keys(), second, stranger];
      expect(await reputation.idleWork(epoch, everybody)).toEqual(credits);
      expect(await reputation.idleWork(epoch, [crew.creator, stranger])).toEqual(new Map([[crew.creator, 1]]));
      expect(await reputation.idleWork(epoch, [])).toEqual(new Map());
      expect(await reputation.idleWork(epoch + 1, everybody)).toEqual(new Map());
    },
  },
  {
    name: 'signs checkpoints and knows who has signed one, each member counting',
    check: async ({ reputation, cast }) => {
      const signature = await reputation.sign(cast.oracle, some);
      expect(signature).toMatch(/^0x[0-9a-f]{130}$/);
      expect(await reputation.signerOf(some, signature)).toBe(cast.oracle);
      expect(await reputation.signerOf(some, await reputation.sign(cast.router, some))).toBe(cast.router);
      for (const [name, value] of Object.entries(some) as [string, number | Hex][]) {
        const changed = { ...some, [name]: typeof value === 'number' ? value + 1 : digest(value) };
        expect(await reputation.signerOf(changed, signature), name).not.toBe(cast.oracle);
      }
      expect(await reputation.signerOfRuling(ruling, signature)).not.toBe(cast.oracle);
    },
  },
  {
    name: 'signs rulings and knows who has signed one, each member counting',
    check: async ({ reputation, cast }) => {
      const signature = await reputation.signRuling(cast.oracle, ruling);
      expect(signature).toMatch(/^0x[0-9a-f]{130}$/);
      expect(await reputation.signerOfRuling(ruling, signature)).toBe(cast.oracle);
      for (const change of [{ epoch: 2 }, { root: digest('another') }, { revision: 1 }, { stands: true }])
        expect(await reputation.signerOfRuling({ ...ruling, ...change }, signature)).not.toBe(cast.oracle);
      expect(await reputation.signerOf(some, signature)).not.toBe(cast.oracle);
    },
  },
  {
    name: 'knows nobody by what is no signature',
    check: async ({ reputation }) => {
      for (const none of ['0x', '0x00', `0x${'00'.repeat(65)}`, `0x${'ff'.repeat(65)}`] as const) {
        expect(await reputation.signerOf(some, none)).toBeUndefined();
        expect(await reputation.signerOfRuling(ruling, none)).toBeUndefined();
      }
    },
  },
  {
    name: 'signs for nobody whose key is not here',
    check: async ({ reputation }) => {
      const refusal = pouwError('unknown_account');
      await expect(reputation.sign(stranger, some)).rejects.toEqual(refusal);
      await expect(reputation.signRuling(stranger, ruling)).rejects.toEqual(refusal);
    },
  },
  {
    name: 'says that the chain cannot be reached, and signs all the same',
    check: async ({ lost, cast }) => {
      const reputation = await lost();
      const asked = [
        reputation.state(),
        reputation.idleWork(1, [cast.oracle]),
        reputation.owed(cast.client),
        reputation.withdrawals(cast.client),
        reputation.allowance(cast.client),
      ];
      for (const one of await Promise.allSettled(asked))
        expect(one).toMatchObject({ reason: pouwError('chain_unreachable') });
      expect(await reputation.signerOf(some, await reputation.sign(cast.oracle, some))).toBe(cast.oracle);
    },
  },
];

/** The contract of the ReputationChain port. */
export function reputationFeatures(name: string, make: () => Promise<ReputationHarness>): void {
  testFeatures('reputation', name, reputationFeatureList, make);
}

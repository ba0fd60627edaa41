import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { standingLeaf, standingsTree } from '../../src/core/checkpoint.ts';
import type { Address } from '../../src/core/ids.ts';
import type { CheckpointOptions } from '../../src/nodes/oracle/checkpoints.ts';
import type { ReputationChain } from '../../src/ports/reputation.ts';
import { bytes32 } from '../actors/chain-facts.ts';
import { openOracleStage, type OracleStage, oracles } from './chain.oracles.ts';
import { pouwError } from './pouw-error.ts';

const dayS = 86_400;
const fromFirst = { from: 1, anchoredBefore: 0, idleWork: new Map<Address, number>() };
let on: OracleStage;

beforeEach(async () => {
  on = await openOracleStage();
}, 120_000);
afterEach(() => on.close());

describe('oracles', () => {
  test('post one checkpoint for an epoch that is over, and levels follow once it cannot be disputed any more', async () => {
    await on.start();
    await on.workAndAnchor();
    expect(await on.turns(), 'the epoch goes on').toEqual([]);
    await on.harness.passTime(dayS);
    expect(await on.turns()).toEqual(['posted']);
    expect(await on.turns(), 'it may still be disputed').toEqual([]);
    const { newest, quorum } = await on.reputation.state();
    expect(quorum).toBe(2);
    expect(newest).toMatchObject({
      state: 'open',
      checkpoint: { epoch: 1, skipped: 0, fromPosition: 1, toPosition: 30, anchorEpoch: 1, nodes: 2, revision: 0 },
    });
    const made = await on.maker()({ ...fromFirst, endedAt: (await on.reputation.state()).endedAt });
    expect(newest?.checkpoint).toMatchObject({
      manifestDigest: made?.manifestDigest,
      root: standingsTree(made?.standings ?? []).root,
    });
    await on.harness.passTime(21_601);
    expect(await on.turns()).toEqual(['levels']);
    const [first, second, third] = on.harness.cast.miners;
    const levels = await Promise.all([first, second, third].map(async (node) => (await on.chain.node(node))?.level));
    expect(levels).toEqual([1, 1, 0]);
    expect(await on.turns(), 'each level once').toEqual([]);
    // The next epoch goes on where this one ended, over those that had nothing.
    await on.harness.passTime(dayS);
    await on.workAndAnchor();
    await on.harness.passTime(dayS);
    expect(await on.turns()).toEqual(['posted']);
    expect((await on.reputation.state()).newest?.checkpoint).toMatchObject({
      epoch: 3,
      skipped: 1,
      fromPosition: 31,
      toPosition: 60,
      anchorEpoch: 2,
    });
  }, 120_000);

  test('need a quorum: one that finds something else signs nothing, and two of three are enough', async () => {
    const liar: CheckpointOptions['make'] = async (wanted) => {
      const made = await on.maker()(wanted);
      return made === undefined
        ? made
        : { ...made, standings: made.standings.map((standing) => ({ ...standing, level: 10 })), isCertain: false };
    };
    await on.start({ make: (oracle) => (oracle === oracles[0] ? liar : on.maker()) });
    await on.workAndAnchor();
    await on.harness.passTime(dayS);
    expect(await on.turns(), 'nobody signs what the liar posts').toEqual(['posted']);
    const { newest } = await on.reputation.state();
    const made = await on.maker()({ ...fromFirst, endedAt: (await on.reputation.state()).endedAt });
    expect(newest?.checkpoint.root).toBe(standingsTree(made?.standings ?? []).root);
    const lie = { ...newest!.checkpoint, epoch: 2 };
    await expect(on.nodes[1]?.checkpoints?.sign(lie)).rejects.toEqual(pouwError('checkpoint_not_due'));
  }, 120_000);

  test('post no signature that is not of who was asked', async () => {
    const [first, second] = oracles;
    const signsFor = (other: Address): ReputationChain => ({
      ...on.reputation,
      sign: (_, one) => on.reputation.sign(other, one),
    });
    await on.start({ signs: (oracle) => (oracle === first ? signsFor(second) : on.reputation) });
    await on.workAndAnchor();
    await on.harness.passTime(dayS);
    // The second leads first, is told by the first what is not its own, and posts two of three.
    const errors: unknown[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      on.pass();
      for (const node of on.nodes) await node.checkpoints?.look().catch((error: unknown) => errors.push(error));
    }
    expect((await on.reputation.state()).newest).toMatchObject({ checkpoint: { epoch: 1 } });
    expect(errors).toEqual([]);
    expect(on.codes).toContain('checkpoint_wrong_signature');
    await on.harness.passTime(21_601);
    expect(await on.turns()).toEqual(['levels']);
  }, 120_000);

  test('say what differs, and post nothing alone', async () => {
    await on.start({ make: (oracle) => (oracle === oracles[0] ? on.maker() : 'silent') });
    await on.workAndAnchor();
    await on.harness.passTime(dayS);
    expect(await on.turns(), 'one signature of three').toEqual([]);
    expect((await on.reputation.state()).newest).toBeUndefined();
    const { endedEpoch: epoch, endedAt, revision } = await on.reputation.state();
    const made = await on.maker()({ ...fromFirst, endedAt });
    const { root } = standingsTree(made?.standings ?? []);
    const counts = { skipped: 0, fromPosition: 1, toPosition: 30, anchorEpoch: 1, idleWork: 0, nodes: 2 };
    const manifestDigest = made?.manifestDigest ?? '0x';
    const right = { epoch, revision, ...counts, root, manifestDigest };
    const signature = (await on.nodes[0]?.checkpoints?.sign(right)) ?? '0x';
    expect(await on.reputation.signerOf(right, signature)).toBe(oracles[0]);
    for (const wrong of [{ root: bytes32(1) }, { toPosition: 29 }, { idleWork: 1 }])
      await expect(on.nodes[0]?.checkpoints?.sign({ ...right, ...wrong })).rejects.toEqual(
        pouwError('checkpoint_differs'),
      );
    const [leaf] = made?.standings ?? [];
    expect(leaf && standingsTree(made?.standings ?? []).proof(standingLeaf(leaf))).toHaveLength(1);
  }, 120_000);
});

import { createUser, type KeyPair } from '@nats-io/nkeys';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/adapters/local/system-clock.ts';
import { createNatsBus } from '../../src/adapters/nats/bus/nats-bus.ts';
import { connectNats } from '../../src/adapters/nats/connect.ts';
import { inboxPrefixOf } from '../../src/adapters/nats/inbox-prefix.ts';
import type { NatsLink } from '../../src/adapters/nats/link.ts';
import { renderNatsConfig } from '../../src/adapters/nats/nats-config.ts';
import { incentives } from '../../src/adapters/chain/economy.ts';
import { type Checkpoint, standingsTree } from '../../src/core/checkpoint.ts';
import { digestToCid } from '../../src/core/cid.ts';
import { PouwError } from '../../src/core/errors.ts';
import { hashJson } from '../../src/core/hash.ts';
import type { Address } from '../../src/core/ids.ts';
import { addWei, subWei } from '../../src/core/wei.ts';
import type { OracleNode } from '../../src/nodes/oracle/oracle-node.ts';
import type { Bus } from '../../src/ports/bus.ts';
import { sharedNatsServer } from '../kit/nats-server.ts';
import { cor, digest, effect } from './chain.harness.ts';
import { openOracleStage, type OracleStage, oracles } from './chain.oracles.ts';
import { pouwError } from './pouw-error.ts';

const dayS = 86_400;
const { disputeS, rulingS } = incentives;
const silent = { make: (oracle: Address) => (oracle === oracles[0] ? on.maker() : ('silent' as const)) };

// Each oracle speaks over a real server, and may publish and hear what the network's configuration grants it.
const keys = new Map<Address, KeyPair>(oracles.map((oracle) => [oracle, createUser()]));
const members = [...keys].map(([address, key]) => ({ role: 'oracle' as const, address, nkey: key.getPublicKey() }));
const nats = sharedNatsServer({ render: (settings) => renderNatsConfig(members, settings) });
const links: NatsLink[] = [];
const buses = new Map<Address, Bus>();
const bus = (oracle: Address): Bus => buses.get(oracle)!;
const overNats = { bus };

let on: OracleStage;

beforeAll(async () => {
  const { url } = await nats();
  for (const [oracle, key] of keys) {
    const nkeySeed = new TextDecoder().decode(key.getSeed());
    const link = await connectNats({ servers: url, name: oracle, nkeySeed, inboxPrefix: inboxPrefixOf(oracle) });
    links.push(link);
    buses.set(oracle, createNatsBus({ link, clock: systemClock, onError: () => undefined }));
  }
}, 120_000);
afterAll(async () => {
  for (const one of buses.values()) await one.drain();
  for (const link of links) await link.close();
});
beforeEach(async () => {
  on = await openOracleStage();
}, 120_000);
afterEach(() => on.close());

/** A day and the second that its last anchor may be of: only past that nothing more of it can come. */
const overDayS = dayS + 1;
const held = (account: Address) => on.chain.corBalance(account);
const record = async () => (await on.reputation.state()).newest;
const levels = async (): Promise<unknown[]> =>
  Promise.all(on.harness.cast.miners.map(async (node) => (await on.chain.node(node))?.level));

/** Has an oracle look once. */
const look = async (node: OracleNode): Promise<string> => (await node.checkpoints?.look()) ?? 'nothing';

/** What the log leads to now. */
async function truth(): Promise<Checkpoint> {
  const { endedEpoch: epoch, endedAt, newest, revision } = await on.reputation.state();
  const before = newest?.checkpoint;
  const from = (before?.toPosition ?? 0) + 1;
  const anchoredBefore = before?.anchorEpoch ?? 0;
  const made = (await on.maker()({ from, endedAt, anchoredBefore, idleWork: new Map() }))!;
  const { anchorEpoch, to: toPosition, manifestDigest, standings } = made;
  const counts = { fromPosition: from, toPosition, anchorEpoch, idleWork: 0, nodes: standings.length };
  const skipped = epoch - (before?.epoch ?? 0) - 1;
  return { epoch, skipped, ...counts, revision, root: standingsTree(standings).root, manifestDigest };
}

/** Has oracles sign a checkpoint with their keys, whatever they find, and posts it. */
async function postSigned(checkpoint: Checkpoint, by: readonly Address[] = oracles.slice(0, 2)): Promise<void> {
  const signatures = await Promise.all(by.map((oracle) => on.reputation.sign(oracle, checkpoint)));
  const call = { call: 'postCheckpoint', checkpoint, signatures } as const;
  await on.chain.send(on.harness.cast.client, call, effect(`post-${checkpoint.epoch}-${checkpoint.revision}`));
}

/** A checkpoint that gives the third miner, who did nothing, the highest level. */
async function postLie(): Promise<{ readonly lie: Checkpoint; readonly right: Checkpoint }> {
  const right = await truth();
  const node = on.harness.cast.miners[2];
  const nothing = { scoreBps: 10_000, honest: 1, outlier: 0, timedOut: 0, idleWork: 0 };
  const standings = [{ node, level: 10, ...nothing }];
  const manifest = { v: 1, from: 1, to: right.toPosition, log: digest('log'), standings };
  const manifestDigest = await pin(manifest);
  const lie = { ...right, nodes: 1, root: standingsTree(standings).root, manifestDigest };
  await postSigned(lie);
  return { lie, right };
}

async function pin(manifest: Parameters<OracleStage['content']['put']>[0]) {
  await on.content.put(manifest);
  return `0x${hashJson(manifest)}` as const;
}

describe('a checkpoint that the log does not lead to', () => {
  test('is disputed once, falls, gives the bond back, and the right one is posted in its place and counts', async () => {
    await on.start(overNats);
    await on.workAndAnchor();
    await on.harness.passTime(overDayS);
    const { lie, right } = await postLie();
    const before = await Promise.all(oracles.map(held));
    on.pass();
    // Whose turn it is disputes; the bond is one, though all three see the same.
    const looks = await Promise.all(on.nodes.map(look));
    expect(looks).toEqual(['nothing', 'disputed', 'nothing']);
    expect(await Promise.all(oracles.map(held))).toEqual([before[0], subWei(before[1]!, cor(100)), before[2]]);
    expect(await held(on.harness.deployment.reputation)).toBe(cor(100));
    expect(await record()).toMatchObject({ state: 'disputed', disputer: oracles[1], checkpoint: lie });
    expect(await levels(), 'nothing counts meanwhile').toEqual([0, 0, 0]);
    // Whoever asks for something else than what is found gets no signature.
    const ruling = { epoch: 1, root: lie.root, revision: 0, stands: true };
    await expect(on.nodes[0]?.checkpoints?.signRuling(ruling)).rejects.toEqual(pouwError('ruling_differs'));

    expect(await on.turns(), 'the next three turns').toEqual(['ruled', 'posted', 'bond']);
    expect(await Promise.all(oracles.map(held)), 'to the wei').toEqual(before);
    expect(await held(on.harness.deployment.reputation)).toBe(cor(0));
    expect(await record()).toMatchObject({ state: 'open', disputer: undefined, checkpoint: { ...right, revision: 1 } });
    expect(await on.turns()).toEqual([]);

    await on.harness.passTime(disputeS + 1);
    expect(await on.turns()).toEqual(['levels']);
    expect(await levels()).toEqual([1, 1, 0]);
  }, 120_000);

  test.each([
    ['positions', { toPosition: 29 }],
    ['an anchor', { anchorEpoch: 2 }],
    ['idle work', { idleWork: 7 }],
    ['a count of nodes', { nodes: 3 }],
    ['a manifest', { manifestDigest: digest('another manifest') }],
  ])(
    'is disputed for %s alone',
    async (_, change) => {
      await on.start();
      await on.workAndAnchor();
      await on.harness.passTime(overDayS);
      const right = await truth();
      // An anchor of the next epoch, which binds nothing of this one.
      await on.workAndAnchor();
      await postSigned({ ...right, ...change });
      expect((await on.turns())[0]).toBe('disputed');
    },
    120_000,
  );

  test('is disputed by whoever can pay, and said once by who cannot', async () => {
    await on.start();
    await on.workAndAnchor();
    await on.harness.passTime(overDayS);
    await postLie();
    const poor = oracles[1];
    const { client } = on.harness.cast;
    const amountWei = subWei(await held(poor), cor(100));
    await on.chain.send(poor, { call: 'transfer', to: client, amountWei: addWei(amountWei, cor(1)) }, effect('poor'));
    on.pass();
    expect(await on.nodes[1]?.checkpoints?.look()).toBe('nothing');
    on.pass(3);
    expect(await on.nodes[1]?.checkpoints?.look()).toBe('nothing');
    expect(on.codes).toEqual(['dispute_bond_missing']);
    // One $COR later it can.
    await on.chain.send(client, { call: 'transfer', to: poor, amountWei: cor(1) }, effect('rich'));
    on.pass(3);
    expect(await on.nodes[1]?.checkpoints?.look()).toBe('disputed');
    expect(await held(poor)).toBe(cor(0));
  }, 120_000);

  test('stands where nobody rules in time; the disputer loses the fee, and leaves the next one to others', async () => {
    await on.start(silent);
    await on.workAndAnchor();
    await on.harness.passTime(overDayS);
    const { lie } = await postLie();
    const before = await held(oracles[0]);
    expect(await on.turns()).toEqual(['disputed']);
    expect(await on.turns(), 'one of three signatures').toEqual([]);
    expect(on.codes).toContain('no_responders');
    await on.harness.passTime(rulingS + 1);
    expect(await on.turns()).toEqual(['ended']);
    expect(await record()).toMatchObject({ state: 'final', disputer: oracles[0], checkpoint: lie });
    expect(await held(oracles[0])).toBe(subWei(before, cor(100)));
    // Its own bond back less the fee, which is the treasury's; then the levels of what stands.
    expect(await on.turns()).toEqual(['bond', 'levels']);
    expect(await held(oracles[0])).toBe(subWei(before, cor(10)));
    expect(await on.reputation.owed(oracles[0])).toBe('0');
    expect(await on.reputation.owed(on.harness.cast.deployer)).toBe(cor(10));
    expect(await levels()).toEqual([0, 0, 2]);

    await on.workAndAnchor();
    await on.harness.passTime(overDayS);
    await postLie();
    on.codes.length = 0;
    for (const _ of [1, 2]) expect(await on.turns()).toEqual([]);
    expect(on.codes).toEqual(['dispute_held_back']);
    expect(await record()).toMatchObject({ state: 'open' });
    expect(await held(oracles[0])).toBe(subWei(before, cor(10)));
  }, 120_000);

  test('is disputed by whoever is honest from half of the time on, with what was found instead, as content', async () => {
    await on.start(silent);
    await on.workAndAnchor();
    await on.harness.passTime(overDayS);
    const { lie, right } = await postLie();
    const kept: unknown[] = [];
    const put = on.content.put.bind(on.content);
    on.content.put = async (value) => {
      kept.push(value);
      return put(value);
    };
    on.pass();
    expect(await on.nodes[0]?.checkpoints?.look(), 'it is not its turn').toBe('nothing');
    await on.harness.passTime(disputeS / 2 + 1);
    expect(await on.nodes[0]?.checkpoints?.look()).toBe('disputed');
    const { root } = lie;
    const claim = { v: 1, disputed: { epoch: 1, revision: 0, root }, found: { ...right } };
    expect(kept.at(-1)).toEqual(claim);
    const cid = digestToCid(`0x${hashJson(claim)}`);
    expect(await on.content.get(cid, { timeoutMs: 1_000 })).toEqual(claim);
    const found = await on.content.get(digestToCid(right.manifestDigest), { timeoutMs: 1_000 });
    expect(found).toMatchObject({ to: right.toPosition });
  }, 120_000);

  test('is one bond, also where all oracles see it at the same time and none waits for its turn', async () => {
    await on.start();
    await on.workAndAnchor();
    await on.harness.passTime(overDayS);
    await postLie();
    const before = await Promise.all(oracles.map(held));
    await on.harness.passTime(disputeS / 2 + 1);
    const looks = await Promise.all(on.nodes.map(look));
    expect(looks.toSorted()).toEqual(['disputed', 'nothing', 'nothing']);
    const first = looks.indexOf('disputed');
    const after = before.map((heldWei, index) => (index === first ? subWei(heldWei, cor(100)) : heldWei));
    expect(await Promise.all(oracles.map(held))).toEqual(after);
    expect(await held(on.harness.deployment.reputation)).toBe(cor(100));
    // Who came second was refused, if it did not see it before, and none tries again.
    expect(['chain_reverted', undefined]).toEqual(expect.arrayContaining([...new Set(on.codes)]));
    expect((await on.turns())[0]).toBe('ruled');
  }, 120_000);

  test('is not disputed by who has not the log that the anchors bind', async () => {
    await on.start();
    await on.workAndAnchor();
    await on.harness.passTime(overDayS);
    const right = await truth();
    // The content of the anchor can be had nowhere now.
    const get = on.content.get.bind(on.content);
    on.content.get = (cid, options) =>
      cid === digestToCid(right.manifestDigest)
        ? get(cid, options)
        : Promise.reject(new PouwError('content_not_found', 'gone', { class: 'not-found' }));
    await postSigned({ ...right, root: digest('a root') });
    expect(await on.turns()).toEqual([]);
    expect(new Set(on.codes)).toEqual(new Set(['anchor_not_found']));
    const ruling = { epoch: 1, root: digest('a root'), revision: 0, stands: false };
    await expect(on.nodes[0]?.checkpoints?.signRuling(ruling)).rejects.toEqual(pouwError('ruling_not_due'));
  }, 120_000);
});

describe('a checkpoint that is right', () => {
  test('stands by a ruling: who disputes it for nothing loses the bond to the treasury', async () => {
    await on.start(overNats);
    await on.workAndAnchor();
    await on.harness.passTime(overDayS);
    expect(await on.turns()).toEqual(['posted']);
    const griefer = on.harness.cast.client;
    const treasury = on.harness.cast.deployer;
    const [had, treasuryHad] = [await held(griefer), await held(treasury)];
    await on.chain.send(griefer, { call: 'approve', spender: 'reputation', amountWei: cor(100) }, effect('allow'));
    const call = { call: 'disputeCheckpoint', epoch: 1, claimDigest: digest('nothing') } as const;
    await on.chain.send(griefer, call, effect('grief'));
    expect(await record()).toMatchObject({ state: 'disputed', disputer: griefer });
    expect(await on.turns(), 'levels follow at once: nobody can dispute it again').toEqual(['ruled', 'levels']);
    expect(await record()).toMatchObject({ state: 'final', disputer: griefer, checkpoint: { revision: 0 } });
    expect(await levels()).toEqual([1, 1, 0]);
    expect(await held(griefer)).toBe(subWei(had, cor(100)));
    expect(await on.reputation.owed(griefer)).toBe('0');
    await on.chain.send(treasury, { call: 'withdrawDisputeBond' }, effect('treasury'));
    expect(await held(treasury)).toBe(addWei(treasuryHad, cor(100)));
    expect(await held(on.harness.deployment.reputation)).toBe(cor(0));
    const again = on.chain.send(griefer, call, effect('grief again'));
    await expect(again).rejects.toMatchObject({ code: 'chain_reverted', details: { reason: 'NotDisputable' } });
    expect(on.codes).toEqual([]);
  }, 120_000);
});

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addressOfKey } from '../../src/adapters/chain/accounts.ts';
import { openReputationChain } from '../../src/adapters/chain/reputation.ts';
import { createHeliaContentStore } from '../../src/adapters/ipfs/content-store.ts';
import { createLocalBus } from '../../src/adapters/local/local-bus.ts';
import { type LocalStores, openLocalStores } from '../../src/adapters/local/local-stores.ts';
import { systemClock, systemRandom } from '../../src/adapters/local/system-clock.ts';
import { checkpointMaker } from '../../src/cli/compose/checkpoint-maker.ts';
import { type AnchoredHead, anchorManifest } from '../../src/core/anchor.ts';
import { anchoredOrder } from '../../src/core/anchored-order.ts';
import { standingLeaf, standingsTree } from '../../src/core/checkpoint.ts';
import { type Commit, type Event, genesisHash } from '../../src/core/commit.ts';
import { signerFromSeed } from '../../src/core/ed25519.ts';
import { type Hex, keccak256 } from '../../src/core/hash.ts';
import type { Address } from '../../src/core/ids.ts';
import { NodeDirectory } from '../../src/nodes/directory.ts';
import type { CheckpointOptions } from '../../src/nodes/oracle/checkpoints.ts';
import { OracleNode } from '../../src/nodes/oracle/oracle-node.ts';
import type { Chain } from '../../src/ports/chain.ts';
import type { ContentStore } from '../../src/ports/content-store.ts';
import { silentLog } from '../../src/ports/log.ts';
import type { ReputationChain } from '../../src/ports/reputation.ts';
import { alice, bob, bytes32 } from '../actors/chain-facts.ts';
import { good, submitted } from '../actors/samples/task.ts';
import { nodes as authors, seal, streams } from '../fixtures/signed-log.ts';
import { cor, effect } from './chain.harness.ts';
import { castKeys, type LocalChain, rpc, startLocalChain } from './chain.local-chain.ts';
import { pouwError } from './pouw-error.ts';

const everyMs = 1_000;
const dayS = 86_400;
const extraKeys = [1, 2, 3].map((number) => keccak256(`the private key of oracle ${number}`));
const oracles = extraKeys.map(addressOfKey).toSorted();
const accounts = new Map<Address, Hex>([...castKeys, ...extraKeys.map((key) => [addressOfKey(key), key] as const)]);

let harness: LocalChain;
let chain: Chain;
let stores: LocalStores;
let content: ContentStore;
let reputation: ReputationChain;
let nodes: OracleNode[];
/** The codes of what they warned of. */
let codes: unknown[];
/** Milliseconds by which oracles take turns. */
let now: number;

beforeEach(async () => {
  harness = await startLocalChain();
  chain = await harness.open({ accounts });
  stores = openLocalStores({ path: ':memory:' });
  content = await createHeliaContentStore();
  nodes = [];
  codes = [];
  now = 0;
  const { deployment, anvil } = harness;
  reputation = await openReputationChain({ rpcUrl: anvil.url, deployment, accounts });
  // The cast's own oracle takes no part: three that are started here are.
  await chain.send(harness.cast.oracle, { call: 'setActive', active: false }, effect('rest'));
  for (const oracle of oracles) {
    await rpc(anvil.url, 'anvil_setBalance', [oracle, '0xde0b6b3a7640000']);
    const { cast } = harness;
    await chain.send(cast.deployer, { call: 'transfer', to: oracle, amountWei: cor(1_000) }, effect(`fund-${oracle}`));
    const approve = { call: 'approve', spender: 'registry', amountWei: cor(1_000) } as const;
    await chain.send(oracle, approve, effect(`approve-${oracle}`));
    const key = signerOf(oracle).publicKey;
    const call = { call: 'register', roles: ['oracle'], key, stakeWei: cor(200), metadataUri: '', models: [] } as const;
    await chain.send(oracle, call, effect(`register-${oracle}`));
  }
}, 120_000);
afterEach(async () => {
  await Promise.all(nodes.map((node) => node.stop(0)));
  await content.close();
  await stores.close();
  await harness.close();
});

const signerOf = (oracle: Address) => signerFromSeed(new Uint8Array(32).fill(oracles.indexOf(oracle) + 1));

/** Starts oracles that share bus, chain, content and log; `make` may be another one's. */
async function start(
  make: (oracle: Address) => CheckpointOptions['make'] | 'silent' = () => maker(),
  signs: (oracle: Address) => ReputationChain = () => reputation,
): Promise<void> {
  const bus = createLocalBus();
  const directory = new NodeDirectory();
  directory.load(await chain.nodes());
  for (const address of oracles) {
    const made = make(address);
    if (made === 'silent') continue;
    const { events: store, journal, leases, snapshots } = stores;
    const clock = { ...systemClock, now: () => now };
    const ports = { bus, store, snapshots, journal, leases, chain, content, clock, random: systemRandom, directory };
    const node = new OracleNode({
      identity: { role: 'oracle', address, signer: signerOf(address) },
      ports: { ...ports, log: { ...silentLog, warn: (_, fields) => void codes.push(fields?.['code']) } },
      sliceMs: 1_000,
      checkpoints: { reputation: signs(address), make: made, everyMs },
    });
    node.checkpoints?.listen();
    nodes.push(node);
  }
}

function maker(): CheckpointOptions['make'] {
  return checkpointMaker({ store: stores.events, chain, content });
}

let written = 0;
let head: Commit | undefined;

/** Three tasks that both miners do well, and an anchor of them. */
async function workAndAnchor(): Promise<void> {
  const { cast } = harness;
  const [first, second] = cast.miners;
  const { selected, assigned, queued, ackedByAlice, ackedByBob, allPrecommitted, allCommitted, validated, settled } =
    good;
  const way = [submitted, queued, selected, assigned, ackedByAlice, ackedByBob, allPrecommitted, allCommitted];
  const hashes: string[] = [];
  const from = written + 1;
  for (const number of [1, 2, 3]) {
    for (const event of [...way, { ...validated, honest: [alice, bob], outliers: [] }, settled]) {
      const text = JSON.stringify({ ...event, task: bytes32(from * 10 + number) });
      const events = [JSON.parse(text.replaceAll(alice, first).replaceAll(bob, second)) as Event];
      const [stream, version] = [streams.session, (head?.version ?? 0) + 1];
      const draft = { stream, version, at: 1_700_000_000_000 + written, cause: 'test', events };
      head = seal({ ...draft, prev: head?.hash ?? genesisHash }, authors.router);
      await stores.events.append(head);
      written += 1;
      hashes.push(head.hash);
    }
  }
  const heads: AnchoredHead[] = head === undefined ? [] : [[streams.session, head.version, head.hash]];
  const { manifest, root, digest } = anchorManifest(undefined, heads, anchoredOrder(from, hashes));
  await content.put(manifest);
  const call = { call: 'anchor', root, manifestDigest: digest, commits: hashes.length } as const;
  await chain.send(cast.router, call, effect(`anchor-${from}`));
}

/** Has every oracle look once, each while it leads. */
async function turns(): Promise<string[]> {
  const done: string[] = [];
  for (let turn = 0; turn < oracles.length; turn += 1) {
    now += everyMs;
    for (const node of nodes) done.push((await node.checkpoints?.look()) ?? 'nothing');
  }
  return done.filter((what) => what !== 'nothing');
}

beforeEach(() => {
  written = 0;
  head = undefined;
});

describe('oracles', () => {
  test('post one checkpoint for an epoch that is over, and levels follow once it cannot be disputed any more', async () => {
    await start();
    await workAndAnchor();
    expect(await turns(), 'the epoch goes on').toEqual([]);
    await harness.passTime(dayS);
    expect(await turns()).toEqual(['posted']);
    expect(await turns(), 'it may still be disputed').toEqual([]);
    const { newest, quorum } = await reputation.state();
    expect(quorum).toBe(2);
    expect(newest).toMatchObject({
      isFinal: false,
      checkpoint: { epoch: 1, skipped: 0, fromPosition: 1, toPosition: 30, anchorEpoch: 1, nodes: 2, revision: 0 },
    });
    const made = await maker()({ from: 1, endedAt: (await reputation.state()).endedAt, idleWork: new Map() });
    expect(newest?.checkpoint).toMatchObject({
      manifestDigest: made?.manifestDigest,
      root: standingsTree(made?.standings ?? []).root,
    });
    await harness.passTime(21_601);
    expect(await turns()).toEqual(['levels']);
    const [first, second, third] = harness.cast.miners;
    const levels = await Promise.all([first, second, third].map(async (node) => (await chain.node(node))?.level));
    expect(levels).toEqual([1, 1, 0]);
    expect(await turns(), 'each level once').toEqual([]);
    // The next epoch goes on where this one ended, over those that had nothing.
    await harness.passTime(dayS);
    await workAndAnchor();
    await harness.passTime(dayS);
    expect(await turns()).toEqual(['posted']);
    expect((await reputation.state()).newest?.checkpoint).toMatchObject({
      epoch: 3,
      skipped: 1,
      fromPosition: 31,
      toPosition: 60,
      anchorEpoch: 2,
    });
  }, 120_000);

  test('need a quorum: one that finds something else signs nothing, and two of three are enough', async () => {
    const liar: CheckpointOptions['make'] = async (wanted) => {
      const made = await maker()(wanted);
      return made === undefined
        ? made
        : { ...made, standings: made.standings.map((standing) => ({ ...standing, level: 10 })) };
    };
    await start((oracle) => (oracle === oracles[0] ? liar : maker()));
    await workAndAnchor();
    await harness.passTime(dayS);
    expect(await turns(), 'nobody signs what the liar posts').toEqual(['posted']);
    const { newest } = await reputation.state();
    const made = await maker()({ from: 1, endedAt: (await reputation.state()).endedAt, idleWork: new Map() });
    expect(newest?.checkpoint.root).toBe(standingsTree(made?.standings ?? []).root);
    const lie = { ...newest!.checkpoint, epoch: 2 };
    await expect(nodes[1]?.checkpoints?.sign(lie)).rejects.toEqual(pouwError('checkpoint_not_due'));
  }, 120_000);

  test('post no signature that is not of who was asked', async () => {
    const [first, second] = oracles as [Address, Address];
    const signsFor = (other: Address): ReputationChain => ({
      ...reputation,
      sign: (_, one) => reputation.sign(other, one),
    });
    await start(undefined, (oracle) => (oracle === first ? signsFor(second) : reputation));
    await workAndAnchor();
    await harness.passTime(dayS);
    // The second leads first, is told by the first what is not its own, and posts two of three.
    const errors: unknown[] = [];
    for (const turn of [1, 2, 3]) {
      now = turn * everyMs;
      for (const node of nodes) await node.checkpoints?.look().catch((error: unknown) => errors.push(error));
    }
    expect((await reputation.state()).newest).toMatchObject({ checkpoint: { epoch: 1 } });
    expect(errors).toEqual([]);
    expect(codes).toContain('checkpoint_wrong_signature');
    await harness.passTime(21_601);
    expect(await turns()).toEqual(['levels']);
  }, 120_000);

  test('say what differs, and post nothing alone', async () => {
    await start((oracle) => (oracle === oracles[0] ? maker() : 'silent'));
    await workAndAnchor();
    await harness.passTime(dayS);
    expect(await turns(), 'one signature of three').toEqual([]);
    expect((await reputation.state()).newest).toBeUndefined();
    const { endedEpoch: epoch, endedAt, revision } = await reputation.state();
    const made = await maker()({ from: 1, endedAt, idleWork: new Map() });
    const { root } = standingsTree(made?.standings ?? []);
    const counts = { skipped: 0, fromPosition: 1, toPosition: 30, anchorEpoch: 1, idleWork: 0, nodes: 2 };
    const manifestDigest = made?.manifestDigest ?? '0x';
    const right = { epoch, revision, ...counts, root, manifestDigest };
    const signature = (await nodes[0]?.checkpoints?.sign(right)) ?? '0x';
    expect(await reputation.signerOf(right, signature)).toBe(oracles[0]);
    expect(await reputation.signerOf({ ...right, nodes: 3 }, signature)).not.toBe(oracles[0]);
    expect(await reputation.signerOf(right, '0x00')).toBeUndefined();
    await expect(reputation.sign(alice, right)).rejects.toEqual(pouwError('unknown_account'));
    for (const wrong of [{ root: bytes32(1) }, { toPosition: 29 }, { idleWork: 1 }])
      await expect(nodes[0]?.checkpoints?.sign({ ...right, ...wrong })).rejects.toEqual(
        pouwError('checkpoint_differs'),
      );
    const [leaf] = made?.standings ?? [];
    expect(leaf && standingsTree(made?.standings ?? []).proof(standingLeaf(leaf))).toHaveLength(1);
  }, 120_000);
});

import { addressOfKey } from '../../src/adapters/chain/accounts.ts';
import { openReputationChain } from '../../src/adapters/chain/reputation.ts';
import { createHeliaContentStore } from '../../src/adapters/ipfs/content-store.ts';
import { createLocalBus } from '../../src/adapters/local/local-bus.ts';
import { openLocalStores } from '../../src/adapters/local/local-stores.ts';
import { systemClock, systemRandom } from '../../src/adapters/local/system-clock.ts';
import { checkpointMaker } from '../../src/cli/compose/checkpoint-maker.ts';
import { type AnchoredHead, anchorManifest } from '../../src/core/anchor.ts';
import { anchoredOrder } from '../../src/core/anchored-order.ts';
import { type Commit, type Event, genesisHash } from '../../src/core/commit.ts';
import { signerFromSeed } from '../../src/core/ed25519.ts';
import { type Hex, keccak256 } from '../../src/core/hash.ts';
import type { Address } from '../../src/core/ids.ts';
import { NodeDirectory } from '../../src/nodes/directory.ts';
import type { CheckpointOptions } from '../../src/nodes/oracle/checkpoints.ts';
import { OracleNode } from '../../src/nodes/oracle/oracle-node.ts';
import type { Bus } from '../../src/ports/bus.ts';
import type { Chain } from '../../src/ports/chain.ts';
import type { ContentStore } from '../../src/ports/content-store.ts';
import { silentLog } from '../../src/ports/log.ts';
import type { ReputationChain } from '../../src/ports/reputation.ts';
import { alice, bob, bytes32 } from '../actors/chain-facts.ts';
import { good, submitted } from '../actors/samples/task.ts';
import { nodes as authors, seal, streams } from '../fixtures/signed-log.ts';
import { cor, effect } from './chain.harness.ts';
import { castKeys, type LocalChain, rpc, startLocalChain } from './chain.local-chain.ts';

/** How long one of the oracles leads, in milliseconds. */
export const everyMs = 1_000;

const extraKeys = [1, 2, 3].map((number) => keccak256(`the private key of oracle ${number}`));
/** The three oracles, in order of address. */
export const oracles = extraKeys.map(addressOfKey).toSorted() as [Address, Address, Address];
const accounts = new Map<Address, Hex>([...castKeys, ...extraKeys.map((key) => [addressOfKey(key), key] as const)]);

/** What the oracles of a test are started with; each setting may be another one for each. */
export interface OracleSettings {
  readonly make?: (oracle: Address) => CheckpointOptions['make'] | 'silent';
  readonly signs?: (oracle: Address) => ReputationChain;
  readonly bus?: (oracle: Address) => Bus;
}

/** A real chain with three oracles that share log and content, and turn by turn. */
export interface OracleStage {
  readonly harness: LocalChain;
  readonly chain: Chain;
  readonly reputation: ReputationChain;
  readonly content: ContentStore;
  readonly nodes: OracleNode[];
  /** The codes of what they warned of. */
  readonly codes: unknown[];
  readonly maker: () => CheckpointOptions['make'];
  start(settings?: OracleSettings): Promise<void>;
  /** Three tasks that both miners do well, and an anchor of them. */
  workAndAnchor(): Promise<void>;
  /** Lets the next oracle lead, or the one after so many. */
  pass(turns?: number): void;
  /** Has every oracle look once, each while it leads. @returns what they did. */
  turns(): Promise<string[]>;
  close(): Promise<void>;
}

const signerOf = (oracle: Address) => signerFromSeed(new Uint8Array(32).fill(oracles.indexOf(oracle) + 1));

/** Registers the three oracles on a chain of their own. */
export async function openOracleStage(): Promise<OracleStage> {
  const harness = await startLocalChain();
  const chain = await harness.open({ accounts });
  const stores = openLocalStores({ path: ':memory:' });
  const content = await createHeliaContentStore();
  const { deployment, anvil, cast } = harness;
  const reputation = await openReputationChain({ rpcUrl: anvil.url, deployment, accounts });
  await registerOracles(harness, chain);
  const nodes: OracleNode[] = [];
  const codes: unknown[] = [];
  let now = 0;
  const maker = () => checkpointMaker({ store: stores.events, chain, content });
  const log = { ...silentLog, warn: (_: string, fields?: { code?: unknown }) => void codes.push(fields?.code) };
  const work = workOf({
    chain,
    content,
    router: cast.router,
    miners: cast.miners,
    append: (commit) => stores.events.append(commit),
  });
  return {
    harness,
    chain,
    reputation,
    content,
    nodes,
    codes,
    maker,
    start: async ({ make = maker, signs = () => reputation, bus } = {}) => {
      const shared = createLocalBus();
      const directory = new NodeDirectory();
      directory.load(await chain.nodes());
      for (const address of oracles) {
        const made = make(address);
        if (made === 'silent') continue;
        const { events: store, journal, leases, snapshots } = stores;
        const clock = { ...systemClock, now: () => now };
        const ports = {
          store,
          snapshots,
          journal,
          leases,
          chain,
          content,
          clock,
          random: systemRandom,
          directory,
          log,
        };
        const node = new OracleNode({
          identity: { role: 'oracle', address, signer: signerOf(address) },
          ports: { ...ports, bus: bus?.(address) ?? shared },
          sliceMs: 1_000,
          checkpoints: { reputation: signs(address), make: made, everyMs },
        });
        node.checkpoints?.listen();
        nodes.push(node);
      }
    },
    workAndAnchor: work,
    pass: (turns = 1) => {
      now += turns * everyMs;
    },
    turns: async () => {
      const done: string[] = [];
      for (let turn = 0; turn < oracles.length; turn += 1) {
        now += everyMs;
        for (const node of nodes) done.push((await node.checkpoints?.look()) ?? 'nothing');
      }
      return done.filter((what) => what !== 'nothing');
    },
    close: async () => {
      await Promise.all(nodes.map((node) => node.stop(0)));
      await content.close();
      await stores.close();
      await harness.close();
    },
  };
}

/** The cast's own oracle takes no part: three others do, with 800 $COR each beside their stake. */
async function registerOracles({ anvil, cast }: LocalChain, chain: Chain): Promise<void> {
  await chain.send(cast.oracle, { call: 'setActive', active: false }, effect('rest'));
  for (const oracle of oracles) {
    await rpc(anvil.url, 'anvil_setBalance', [oracle, '0xde0b6b3a7640000']);
    await chain.send(cast.deployer, { call: 'transfer', to: oracle, amountWei: cor(1_000) }, effect(`fund-${oracle}`));
    const approve = { call: 'approve', spender: 'registry', amountWei: cor(1_000) } as const;
    await chain.send(oracle, approve, effect(`approve-${oracle}`));
    const key = signerOf(oracle).publicKey;
    const call = { call: 'register', roles: ['oracle'], key, stakeWei: cor(200), metadataUri: '', models: [] } as const;
    await chain.send(oracle, call, effect(`register-${oracle}`));
  }
}

function workOf(to: {
  readonly chain: Chain;
  readonly content: ContentStore;
  readonly router: Address;
  readonly miners: readonly [Address, Address, Address];
  readonly append: (commit: Commit) => Promise<unknown>;
}): () => Promise<void> {
  const [first, second] = to.miners;
  const { selected, assigned, queued, ackedByAlice, ackedByBob, allPrecommitted, allCommitted, validated, settled } =
    good;
  const way = [submitted, queued, selected, assigned, ackedByAlice, ackedByBob, allPrecommitted, allCommitted];
  let written = 0;
  let head: Commit | undefined;
  return async () => {
    const hashes: string[] = [];
    const from = written + 1;
    for (const number of [1, 2, 3]) {
      for (const event of [...way, { ...validated, honest: [alice, bob], outliers: [] }, settled]) {
        const text = JSON.stringify({ ...event, task: bytes32(from * 10 + number) });
        const events = [JSON.parse(text.replaceAll(alice, first).replaceAll(bob, second)) as Event];
        const [stream, version] = [streams.session, (head?.version ?? 0) + 1];
        const draft = { stream, version, at: 1_700_000_000_000 + written, cause: 'test', events };
        head = seal({ ...draft, prev: head?.hash ?? genesisHash }, authors.router);
        await to.append(head);
        written += 1;
        hashes.push(head.hash);
      }
    }
    const heads: AnchoredHead[] = head === undefined ? [] : [[streams.session, head.version, head.hash]];
    const { manifest, root, digest } = anchorManifest(undefined, heads, anchoredOrder(from, hashes));
    await to.content.put(manifest);
    const call = { call: 'anchor', root, manifestDigest: digest, commits: hashes.length } as const;
    await to.chain.send(to.router, call, effect(`anchor-${from}`));
  };
}

import { unlessEnded } from './unless-ended.ts';
import { openChainReader } from '../../adapters/chain/chain-reader.ts';
import { openReputationChain } from '../../adapters/chain/reputation.ts';
import { openRoundsChain } from '../../adapters/chain/rounds.ts';
import { deploymentFile } from '../../adapters/chain/deployment-record.ts';
import { openBlockReader } from '../../adapters/ipfs/block-reader.ts';
import { createHeliaContentStore } from '../../adapters/ipfs/content-store.ts';
import { openDataDir } from '../../adapters/local/data-dir.ts';
import { keyFileName, openKeyFile } from '../../adapters/local/key-file.ts';
import { createLocalBus } from '../../adapters/local/local-bus.ts';
import { type LocalStores, openLocalStores } from '../../adapters/local/local-stores.ts';
import { systemClock, systemRandom } from '../../adapters/local/system-clock.ts';
import type { PouwError } from '../../core/errors.ts';
import { KeyRing } from '../../core/key-ring.ts';
import { NodeDirectory } from '../../nodes/directory.ts';
import type { ReputationChain } from '../../ports/reputation.ts';
import type { RoundsChain } from '../../ports/rounds.ts';
import type { NodePorts } from '../../nodes/ports.ts';
import { openOperations, type Operations } from '../operations/open-operations.ts';
import { composeChain } from './chain.ts';
import type { Closers } from './closers.ts';
import type { Engine } from './engine.ts';
import type { LocalNetworkOptions } from './local-network.ts';
import { addressesOf, type Member, membersOf } from './members.ts';
import { ensureModels } from './register.ts';
import { defaultCounts } from './settings.ts';
import { isEmpty, requireWholeLog } from './whole-log.ts';

/** What the nodes of a local network stand on. */
export interface Foundation {
  readonly keys: KeyRing;
  readonly rpcUrl: string;
  readonly ports: NodePorts;
  readonly stores: LocalStores;
  readonly members: readonly Member[];
  readonly engine: Engine;
  /** The reputation contract, with the keys of the members. */
  readonly reputation: ReputationChain;
  /** The network sessions: idle rounds. */
  readonly rounds: RoundsChain;
  /** Resolves where our own chain ended although nobody stopped it. */
  readonly lost: Promise<PouwError>;
  /** Stops the chain now, whatever else still runs: the last thing before an exit without a drain. */
  readonly dropChain: () => Promise<void>;
  /** Says that the start is not refused any more: {@link ComposedChain.accept}. */
  readonly accept: () => Promise<void>;
  /** Log, metrics, traces and probes of the process. */
  readonly operations: Operations;
}

/** Opens the data directory, starts chain, models and content store side by side, and registers the members. */
export async function layFoundation(options: LocalNetworkOptions, closers: Closers): Promise<Foundation> {
  const onStep = options.onStep ?? (() => {});
  const data = openDataDir(options.data);
  closers.add(async () => data.close());
  const signed = [data.logPath, deploymentFile(data.file('chain'))];
  const keys =
    options.secret === undefined
      ? openKeyFile(data.file(keyFileName), systemRandom, signed)
      : new KeyRing(options.secret);
  const operations = await openOperations({
    role: 'network',
    clock: systemClock,
    log: { to: data.file('pouw.log'), level: options.logLevel ?? 'info' },
    ...options.operations,
  });
  closers.add(() => operations.close());
  const { log } = operations;
  const stores = openLocalStores({ path: data.logPath });
  closers.add(() => stores.close());
  operations.readiness.add('log', () => stores.requireWritten());
  const members = membersOf(keys, options.counts ?? defaultCounts);
  const loading = closers.later(options.engine(), ({ inference }) => inference.close());
  const opening = closers.later(createHeliaContentStore({ directory: data.path }), (store) => store.close());
  const deployerKey = options.deployerKey ?? keys.account('deployer', 0);
  const isLogEmpty = await isEmpty(stores.events);
  const { rpcUrl: outside, incentives } = options;
  const parts = { data, rpcUrl: outside, deployerKey, members, incentives, isLogEmpty, stores, log, onStep };
  const composed = await composeChain(parts);
  closers.add(() => composed.stop());
  return unlessEnded(composed.lost, lay());

  async function lay(): Promise<Foundation> {
    const { rpcUrl, rpcUrls, lost } = composed;
    const reader = await openChainReader({ rpcUrl: rpcUrls, deployment: composed.chain.deployment });
    await requireWholeLog(stores.events, await reader.progress(), openBlockReader(data.path).get);
    onStep('models');
    const [engine, content] = await Promise.all([loading, opening]);
    onStep('registry');
    const models = [engine.model, engine.embedder];
    await Promise.all(addressesOf(members, 'miner').map((miner) => ensureModels(composed.chain, miner, models)));
    const bus = createLocalBus({ clock: systemClock });
    closers.add(() => bus.drain());
    const directory = new NodeDirectory();
    directory.load(await composed.chain.nodes());
    const chain = options.wrapChain?.(composed.chain) ?? composed.chain;
    const { events: store, snapshots, journal, leases } = stores;
    const [clock, random] = [systemClock, systemRandom];
    const bare = { bus, store, snapshots, journal, leases, chain, content, clock, random, log, directory };
    const ports = operations.wrapPorts(bare);
    const measured = { ...engine, inference: operations.wrapInference(engine.inference) };
    const dropChain = (): Promise<void> => composed.stop();
    const accounts = new Map(members.map(({ address, accountKey }) => [address, accountKey] as const));
    const rounds = await openRoundsChain({ rpcUrl: rpcUrls, deployment: composed.chain.deployment });
    const reputation = await openReputationChain({ rpcUrl: rpcUrls, deployment: composed.chain.deployment, accounts });
    return {
      keys,
      rpcUrl,
      ports,
      stores,
      members,
      engine: measured,
      reputation,
      rounds,
      lost,
      dropChain,
      accept: () => composed.accept(),
      operations,
    };
  }
}

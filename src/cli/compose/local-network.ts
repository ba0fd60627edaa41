import { createHeliaContentStore } from '../../adapters/ipfs/content-store.ts';
import { openDataDir } from '../../adapters/local/data-dir.ts';
import { type FileLog, type LogLevel, openFileLog } from '../../adapters/local/file-log.ts';
import { openKeyFile } from '../../adapters/local/key-file.ts';
import { createLocalBus } from '../../adapters/local/local-bus.ts';
import { type LocalStores, openLocalStores } from '../../adapters/local/local-stores.ts';
import { systemClock, systemRandom } from '../../adapters/local/system-clock.ts';
import { errorMessage, PouwError } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import { KeyRing } from '../../core/key-ring.ts';
import type { Address, SessionId } from '../../core/ids.ts';
import { ClientNode } from '../../nodes/client/client-node.ts';
import { NodeDirectory } from '../../nodes/directory.ts';
import { startFactPump } from '../../nodes/fact-pump.ts';
import { Front } from '../../nodes/front/front.ts';
import { LogIndex } from '../../nodes/log-index.ts';
import { MinerNode } from '../../nodes/miner/miner-node.ts';
import { OracleNode } from '../../nodes/oracle/oracle-node.ts';
import type { NodePorts } from '../../nodes/ports.ts';
import { RouterNode } from '../../nodes/router/router-node.ts';
import { ValidatorNode } from '../../nodes/validator/validator-node.ts';
import type { Chain } from '../../ports/chain.ts';
import type { Inference } from '../../ports/inference.ts';
import type { Attack } from '../../sim/attacks/attack.ts';
import { composeChain } from './chain.ts';
import type { Engine } from './engine.ts';
import { type Member, membersOf } from './members.ts';
import { defaultCounts, type NodeCounts } from './settings.ts';

/** How to compose a network in this process. */
export interface LocalNetworkOptions {
  /** The data directory; made where it is missing. */
  readonly data: string;
  readonly rpcUrl?: string | undefined;
  /** The account that deploys on an outside chain; derived from the data directory's secret by default. */
  readonly deployerKey?: Hex | undefined;
  /** All keys follow from it where it is given, else from the data directory's key file. */
  readonly secret?: Hex | undefined;
  readonly counts?: NodeCounts | undefined;
  /** The engine of every honest node, with the models to serve. The network closes it. */
  readonly engine: () => Promise<Engine>;
  /** The attack of each miner that has one, by its number. */
  readonly attacks?: ReadonlyMap<number, Attack> | undefined;
  /** Puts something between the network and its chain: for meters and faults. */
  readonly wrapChain?: ((chain: Chain) => Chain) | undefined;
  readonly anchorEveryMs?: number | undefined;
  /** Jobs each miner takes at a time; default 32. */
  readonly minerCapacity?: number | undefined;
  readonly logLevel?: LogLevel | undefined;
  /** Told what is going on, for a person who waits. */
  readonly onStep?: ((step: string) => void) | undefined;
}

/** How long one oracle leads. */
const oracleSliceMs = 2_000;

/** A whole network, running. */
export interface LocalNetwork {
  readonly keys: KeyRing;
  readonly rpcUrl: string;
  readonly ports: NodePorts;
  readonly stores: LocalStores;
  readonly members: readonly Member[];
  readonly engine: Engine;
  readonly routers: readonly RouterNode[];
  readonly miners: readonly MinerNode[];
  readonly validators: readonly ValidatorNode[];
  readonly oracles: readonly OracleNode[];
  readonly client: ClientNode;
  readonly index: LogIndex;
  readonly front: Front;
  /** The router that leads a session. */
  leader(session: SessionId): RouterNode;
  /** Resolves once the routers have heard of every miner and validator. @throws PouwError `network_not_ready`. */
  ready(): Promise<void>;
  /** Waits until no node has anything in hand, then anchors the log a last time. */
  settle(): Promise<void>;
  /** Drains and stops everything: nodes, stores, chain. */
  stop(graceMs: number): Promise<void>;
}

/** Puts adapters and actors together: one process, every role, real parts. */
export async function composeLocalNetwork(options: LocalNetworkOptions): Promise<LocalNetwork> {
  const closers: (() => Promise<void>)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).toReversed()) await close();
  };
  try {
    return await compose(options, closers, closeAll);
  } catch (error) {
    await closeAll().catch(() => undefined);
    throw error;
  }
}

async function compose(
  options: LocalNetworkOptions,
  closers: (() => Promise<void>)[],
  closeAll: () => Promise<void>,
): Promise<LocalNetwork> {
  const onStep = options.onStep ?? (() => {});
  const data = openDataDir(options.data);
  closers.push(async () => data.close());
  const keys =
    options.secret === undefined ? openKeyFile(data.file('keys.json'), systemRandom) : new KeyRing(options.secret);
  const log: FileLog = openFileLog(data.file('pouw.log'), systemClock, options.logLevel ?? 'info');
  closers.push(() => log.close());
  const stores = openLocalStores({ path: data.logPath });
  closers.push(() => stores.close());
  const members = membersOf(keys, options.counts ?? defaultCounts);
  const loading = options.engine();
  loading.catch(() => undefined);
  closers.push(async () => (await loading.catch(() => undefined))?.inference.close());
  const opening = createHeliaContentStore({ directory: data.path });
  opening.catch(() => undefined);
  closers.push(async () => (await opening.catch(() => undefined))?.close());
  const deployerKey = options.deployerKey ?? keys.account('deployer', 0);
  const composed = await composeChain({ data, rpcUrl: options.rpcUrl, deployerKey, members, log, onStep });
  closers.push(() => composed.stop());
  onStep('models');
  const [engine, content] = await Promise.all([loading, opening]);
  const bus = createLocalBus({ clock: systemClock });
  closers.push(() => bus.drain());
  const directory = new NodeDirectory();
  directory.load(await composed.chain.nodes());
  const chain = options.wrapChain?.(composed.chain) ?? composed.chain;
  const ports: NodePorts = {
    bus,
    store: stores.events,
    snapshots: stores.snapshots,
    journal: stores.journal,
    leases: stores.leases,
    chain,
    content,
    clock: systemClock,
    random: systemRandom,
    log,
    directory,
  };
  onStep('nodes');
  const nodes = buildNodes(options, members, ports, engine);
  const index = new LogIndex();
  await index.start(stores.events);
  closers.push(() => index.stop());
  const front = new Front({
    routers: nodes.routers,
    index,
    inference: engine.inference,
    wallet: nodes.client,
    embedder: engine.embedder,
  });
  nodes.onTaskEnded.handle = (session, task) => front.taskEnded(session, task);
  await startNodes(nodes, index);
  const readers = [...nodes.routers, ...nodes.miners, ...nodes.validators, ...nodes.oracles, nodes.client];
  const registry = {
    onFacts: async (facts: Parameters<RouterNode['onFacts']>[0]) => facts.forEach((fact) => directory.apply(fact)),
    onRemoved: async () => {},
  };
  const heights = {
    onFacts: async (facts: Parameters<RouterNode['onFacts']>[0]) =>
      facts.forEach((fact) => front.sawBlock(fact.place.block)),
    onRemoved: async () => {},
  };
  const pump = await startFactPump({
    chain,
    cursors: stores.cursors,
    clock: systemClock,
    log,
    name: 'chain',
    readers: [registry, heights, ...readers],
  });
  let stopping: Promise<void> | undefined;
  const stop = async (graceMs: number): Promise<void> => {
    await settleAll(nodes, ports).catch((error: unknown) =>
      log.warn('the log was not anchored at the end', { error: errorMessage(error) }),
    );
    await pump.close();
    await Promise.all(readers.map((node) => node.stop(graceMs)));
    await closeAll();
  };
  return {
    keys,
    rpcUrl: composed.rpcUrl,
    ports,
    stores,
    members,
    engine,
    ...nodes,
    index,
    front,
    leader: (session) => {
      const leader = nodes.routers.find((router) => router.owns(session));
      if (leader === undefined)
        throw new PouwError('session_not_found', `No router here leads ${session}.`, { class: 'not-found' });
      return leader;
    },
    ready: () => untilReady(nodes, ports),
    settle: () => settleAll(nodes, ports),
    stop: (graceMs) => (stopping ??= stop(graceMs)),
  };
}

type TaskEnded = NonNullable<ConstructorParameters<typeof RouterNode>[0]['onTaskEnded']>;

interface Nodes {
  readonly routers: readonly RouterNode[];
  readonly miners: readonly MinerNode[];
  readonly validators: readonly ValidatorNode[];
  readonly oracles: readonly OracleNode[];
  readonly client: ClientNode;
  /** Routers come before the front that listens to them. */
  readonly onTaskEnded: { handle: TaskEnded };
}

function buildNodes(
  options: LocalNetworkOptions,
  members: readonly Member[],
  ports: NodePorts,
  { inference, model, embedder }: Engine,
): Nodes {
  const identity = ({ role, address, signer }: Member) => ({ role, address, signer });
  const of = (role: Member['role']): readonly Member[] => members.filter((member) => member.role === role);
  const onTaskEnded: Nodes['onTaskEnded'] = { handle: () => {} };
  const anchorEveryMs = options.anchorEveryMs ?? 5_000;
  const [client] = of('client');
  if (client === undefined) throw new PouwError('no_client', 'A local network has a client.');
  const engineOf = (index: number): Inference => options.attacks?.get(index)?.engine(inference) ?? inference;
  return {
    onTaskEnded,
    client: new ClientNode(identity(client), ports),
    routers: of('router').map(
      (member) =>
        new RouterNode({
          identity: identity(member),
          ports,
          inference,
          anchorEveryMs,
          onTaskEnded: (session, task) => onTaskEnded.handle(session, task),
        }),
    ),
    miners: of('miner').map(
      (member) =>
        new MinerNode({
          identity: identity(member),
          ports,
          inference: engineOf(member.index),
          models: [model, embedder],
          capacity: options.minerCapacity ?? 32,
        }),
    ),
    validators: of('validator').map(
      (member) => new ValidatorNode({ identity: identity(member), ports, inference, embedder }),
    ),
    oracles: of('oracle').map(
      (member) => new OracleNode({ identity: identity(member), ports, sliceMs: oracleSliceMs }),
    ),
  };
}

async function startNodes(nodes: Nodes, index: LogIndex): Promise<void> {
  const sessions = index.sessions();
  await Promise.all([
    nodes.client.start(),
    ...nodes.routers.map((router) => router.start(sessions)),
    ...nodes.miners.map((miner) => miner.start()),
    ...nodes.validators.map((validator) => validator.start()),
    ...nodes.oracles.map((oracle) => oracle.start()),
  ]);
}

/** How long the last effects and the last anchor may take. */
const settleWithinMs = 5_000;

async function settleAll({ routers, miners, validators, oracles, client }: Nodes, { clock }: NodePorts): Promise<void> {
  const giveUpAt = clock.now() + settleWithinMs;
  const bases = [...routers, ...miners, ...validators, ...oracles, client].map((node) => node.base);
  const isBusy = (): boolean => bases.some(({ host }) => host.load().running + host.load().waiting > 0);
  while (isBusy() && clock.now() < giveUpAt) await clock.sleep(10);
  for (const router of routers) if (await router.anchorer.anchor()) break;
  const isPending = async (): Promise<boolean> =>
    (await Promise.all(routers.map((router) => router.book()))).some((book) => book.pendingAnchor !== null);
  while ((await isPending()) && clock.now() < giveUpAt) await clock.sleep(10);
}

/** How long nodes may take to hear of each other. */
const readyWithinMs = 30_000;

async function untilReady({ routers, miners, validators }: Nodes, { clock }: NodePorts): Promise<void> {
  const giveUpAt = clock.now() + readyWithinMs;
  for (;;) {
    const books = await Promise.all(routers.map((router) => router.book()));
    const isComplete = books.every(({ nodes }) =>
      [...miners, ...validators].every(({ address }) => nodes[address]?.online === true),
    );
    if (isComplete) return;
    if (clock.now() >= giveUpAt) {
      throw new PouwError(
        'network_not_ready',
        `The nodes have not heard of each other within ${readyWithinMs / 1_000} s.`,
        { class: 'timeout', hint: 'Look into pouw.log in the data directory.' },
      );
    }
    await clock.sleep(20);
  }
}

/** The address of a member, for reports. */
export function addressesOf(members: readonly Member[], role: Member['role']): Address[] {
  return members.filter((member) => member.role === role).map((member) => member.address);
}

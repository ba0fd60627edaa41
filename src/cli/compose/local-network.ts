import type { Incentives } from '../../adapters/chain/economy.ts';
import type { RpcUrls } from '../../adapters/chain/rpc-endpoints.ts';
import { createLocalJobQueue } from '../../adapters/local/local-job-queue.ts';
import type { ReputationChain } from '../../ports/reputation.ts';
import type { RoundsChain } from '../../ports/rounds.ts';
import type { LocalStores } from '../../adapters/local/local-stores.ts';
import { systemClock } from '../../adapters/local/system-clock.ts';
import { errorMessage, PouwError } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import type { SessionId } from '../../core/ids.ts';
import type { KeyRing } from '../../core/key-ring.ts';
import { limits } from '../../core/limits.ts';
import { type FactReader, startFactPump } from '../../nodes/fact-pump.ts';
import { Front, type FrontOptions } from '../../nodes/front/front.ts';
import { Allowances } from '../../nodes/front/allowances.ts';
import { Plans } from '../../nodes/front/plans.ts';
import { Wallets } from '../../nodes/front/wallets.ts';
import { LogIndex } from '../../nodes/log-index.ts';
import type { NodeBase } from '../../nodes/node-base.ts';
import type { NodePorts } from '../../nodes/ports.ts';
import type { RouterNode } from '../../nodes/router/router-node.ts';
import type { Chain } from '../../ports/chain.ts';
import type { LogLevel } from '../../ports/log.ts';
import type { Operations, OperationsOptions } from '../operations/open-operations.ts';
import { unlessAborted } from '../../core/unless-aborted.ts';
import { Closers } from './closers.ts';
import type { Engine } from './engine.ts';
import { type Foundation, layFoundation } from './foundation.ts';
import { unlessEnded } from './unless-ended.ts';
import { buildNodes, type LocalNodes, type NodeSettings, settleAll, startNodes, untilReady } from './local-nodes.ts';
import type { Member } from './members.ts';
import type { NodeCounts } from './settings.ts';

/** How to compose a network in this process. */
export interface LocalNetworkOptions extends NodeSettings {
  /** The data directory; made where it is missing. */
  readonly data: string;
  readonly rpcUrl?: RpcUrls | undefined;
  /** The account that deploys on an outside chain; derived from the data directory's secret by default. */
  readonly deployerKey?: Hex | undefined;
  /** All keys follow from it where it is given, else from the data directory's key file. */
  readonly secret?: Hex | undefined;
  readonly counts?: NodeCounts | undefined;
  /** Epochs and slots of a new deployment that are not the usual ones. */
  readonly incentives?: Partial<Incentives> | undefined;
  /** The engine of every honest node, with the models to serve. The network closes it. */
  readonly engine: () => Promise<Engine>;
  /** Puts something between the network and its chain: for meters and faults. */
  readonly wrapChain?: ((chain: Chain) => Chain) | undefined;
  readonly logLevel?: LogLevel | undefined;
  /** Where the operator wants to hear of the process, beside its log. */
  readonly operations?: Pick<OperationsOptions, 'opsPort' | 'opsHost' | 'otlpEndpoint'> | undefined;
  /** Ends the start; what was opened by then is closed, and what is still being opened once it is open. */
  readonly signal?: AbortSignal | undefined;
  /** Told what is going on, for a person who waits. */
  readonly onStep?: ((step: string) => void) | undefined;
}

/** A whole network, running. */
export interface LocalNetwork extends LocalNodes {
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
  readonly index: LogIndex;
  readonly front: Front;
  readonly plans: Plans;
  readonly allowances: Allowances;
  readonly wallets: Wallets;
  /** Resolves where our own chain ended although nobody stopped it. */
  readonly lost: Promise<PouwError>;
  /** Stops the chain now, whatever else still runs: the last thing before an exit without a drain. */
  readonly dropChain: () => Promise<void>;
  /** Log, metrics, traces and probes of the process. */
  readonly operations: Operations;
  /** The router that leads a session. */
  leader(session: SessionId): RouterNode;
  /** Resolves once the routers have heard of every miner and validator. @throws PouwError `network_not_ready`. */
  ready(): Promise<void>;
  /** Waits until no node has anything in hand, then anchors the log a last time. */
  settle(): Promise<void>;
  /** Drains and stops everything: nodes, stores, chain. */
  stop(graceMs: number): Promise<void>;
}

/** How long nodes may take to end what they do where the start of the network fails. */
const abortedGraceMs = 500;

/** Puts adapters and actors together: one process, every role, real parts. */
export async function composeLocalNetwork(options: LocalNetworkOptions): Promise<LocalNetwork> {
  const closers = new Closers();
  try {
    return await unlessAborted(compose(options, closers), options.signal);
  } catch (error) {
    await closers.closeAll().catch(() => undefined);
    throw error;
  }
}

async function compose(options: LocalNetworkOptions, closers: Closers): Promise<LocalNetwork> {
  const foundation = await layFoundation(options, closers);
  return unlessEnded(foundation.lost, build(options, foundation, closers));
}

async function build(options: LocalNetworkOptions, foundation: Foundation, closers: Closers): Promise<LocalNetwork> {
  const { ports, stores, members, engine, reputation, rounds, operations } = foundation;
  options.onStep?.('nodes');
  const index = new LogIndex();
  const offers = createLocalJobQueue({
    deliveriesMax: limits.offerDeliveriesMax,
    onError: (error) => ports.log.warn('an offer was not handled', { error: errorMessage(error) }),
  });
  closers.add(() => offers.close());
  const nodes = buildNodes(options, members, ports, engine, index, { offers, reputation, rounds });
  const all = [...nodes.routers, ...nodes.miners, ...nodes.validators, ...nodes.oracles, nodes.client];
  let graceMs = abortedGraceMs;
  closers.add(async () => void (await Promise.all(all.map((node) => node.stop(graceMs)))));
  await index.start(ports.store);
  closers.add(() => index.stop());
  const { inference, embedder } = engine;
  const front = new Front({ routers: nodes.routers, index, inference, wallet: nodes.client, embedder, log: stores });
  for (const router of nodes.routers) router.onTaskEnded = (...ended) => front.taskEnded(...ended);
  const { chain, log } = ports;
  const started = Promise.withResolvers<undefined>();
  started.promise.catch(() => undefined);
  const readers = [watcher(ports), ...all.map((node) => readerOf(node, started.promise))];
  const followed = Promise.withResolvers<undefined>();
  // Once the network is up, its log and the probes say so.
  followed.promise.catch(() => undefined);
  const onOutage = (state: 'down' | 'up'): void => front.chainIs(state);
  let isLost = false;
  void foundation.lost.then(() => {
    isLost = true;
    front.chainIs('down');
  });
  const pump = await startFactPump({
    onOutage,
    onLost: followed.reject,
    onHead: (block) => {
      followed.resolve(undefined);
      front.sawBlock(block);
    },
    chain,
    cursors: stores.cursors,
    clock: systemClock,
    log,
    name: 'chain',
    readers,
  });
  closers.add(() => pump.close());
  closers.add(async () => started.reject(new PouwError('node_stopping', 'The node stops.', { class: 'unavailable' })));
  // Nothing is written or sent before the chain is known to be the one that the log goes on from.
  await followed.promise;
  await foundation.accept();
  await startNodes(nodes, index);
  started.resolve(undefined);
  operations.watchRouters({ routers: nodes.routers, sessions: () => index.sessions() });
  operations.readiness.add('miners', () => mustHaveMiners(front));
  let stopping: Promise<void> | undefined;
  const stop = async (grace: number): Promise<void> => {
    graceMs = grace;
    operations.stopping();
    // Without its chain nothing would be settled, however long it waited.
    if (!isLost) {
      await settleAll(nodes, ports).catch((error: unknown) => {
        log.warn('the log was not anchored at the end', { error: errorMessage(error) });
      });
    }
    await closers.closeAll();
  };
  return {
    ...foundation,
    ...nodes,
    index,
    front,
    ...besideFront({ front, index, inference, routers: nodes.routers }),
    leader: (session) => leaderOf(nodes, session),
    ready: async () => {
      await untilReady(nodes, ports);
      operations.started();
    },
    settle: () => settleAll(nodes, ports),
    stop: (grace) => (stopping ??= stop(grace)),
  };
}

/** What clients reach beside the front. */
function besideFront({
  routers,
  ...on
}: Pick<FrontOptions, 'routers' | 'index' | 'inference'> & { readonly front: Front }): Pick<
  LocalNetwork,
  'plans' | 'allowances' | 'wallets'
> {
  return { plans: new Plans(on), allowances: new Allowances({ front: on.front, routers }), wallets: new Wallets(on) };
}

/** A node as the pump knows it: there once it is started, gone once it is stopped. */
function readerOf(node: FactReader & { readonly base: NodeBase }, started: Promise<unknown>): FactReader {
  return {
    onFacts: (facts) => started.then(() => node.onFacts(facts)),
    onRemoved: (facts) => started.then(() => node.onRemoved(facts)),
    stopping: node.base.stopping,
  };
}

/** Keeps the registry of this process up to date. */
function watcher({ directory }: NodePorts): FactReader {
  return {
    async onFacts(facts) {
      for (const fact of facts) directory.apply(fact);
    },
    async onRemoved() {},
  };
}

function mustHaveMiners(front: Front): void {
  if (front.health().miners > 0) return;
  throw new PouwError('no_miners', 'No miner is alive.', { class: 'unavailable' });
}

function leaderOf({ routers }: LocalNodes, session: SessionId): RouterNode {
  const leader = routers.find((router) => router.owns(session));
  if (leader !== undefined) return leader;
  throw new PouwError('session_not_found', `No router here leads ${session}.`, { class: 'not-found' });
}

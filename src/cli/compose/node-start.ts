import { openReputationChain } from '../../adapters/chain/reputation.ts';
import { openRoundsChain } from '../../adapters/chain/rounds.ts';
import { systemClock, systemRandom } from '../../adapters/local/system-clock.ts';
import { errorMessage } from '../../core/errors.ts';
import type { Role } from '../../core/ids.ts';
import { createGateway } from '../../gateway/gateway.ts';
import type { CheckpointOptions } from '../../nodes/oracle/checkpoints.ts';
import { Front, type WalletOf } from '../../nodes/front/front.ts';
import { Allowances } from '../../nodes/front/allowances.ts';
import { Plans } from '../../nodes/front/plans.ts';
import { Wallets } from '../../nodes/front/wallets.ts';
import { LogIndex } from '../../nodes/log-index.ts';
import { IdleGate } from '../../nodes/rounds/idle-gate.ts';
import type { IdleOptions } from '../../nodes/rounds/idle-rounds.ts';
import type { Log } from '../../ports/log.ts';
import { checkpointMaker } from './checkpoint-maker.ts';
import { rpcUrls } from '../config/rpc-urls.ts';
import { openClientSession } from './client-session.ts';
import { type Engine, openEngine } from './engine.ts';
import { keepPresent } from './nats-stores.ts';
import { layNodeGround, type NodeGround, type NodeProcessOptions } from './node-process.ts';
import { buildClient, buildRouter, buildWorker, type RunningRole } from './node-roles.ts';
import { ensureModels } from './register.ts';
import { waitFor } from './wait-for.ts';

/** A node that runs in this process. */
export interface RunningNode {
  /** What a user or a program wants to know of it. */
  readonly ready: Readonly<Record<string, string>>;
  /**
   * Lets what runs end or hands it over, in `graceMs`, or later where it must not be left: then `onWait` is told what it
   * waits for. Then closes everything.
   */
  stop(graceMs: number, onWait: (line: string) => void): Promise<void>;
  /** Until when what must not be left may take, in milliseconds since 1970; 0 where there was no such thing. */
  waitsUntil(): number;
  /** What is left undone if it ends now: a line for each task. */
  left(): readonly string[];
}

/** How long a node may take to end what it does where its start fails. */
const abortedGraceMs = 500;

/** What is left of a node's time to end: its requests over HTTP and its tasks have it together. */
function graceLeft({ graceMs, toldAt }: Start): number {
  return toldAt === undefined ? graceMs : Math.max(abortedGraceMs, toldAt + graceMs - systemClock.now());
}

/** A start under way: what it was asked for, what it stands on, and how long its end may take. */
interface Start {
  readonly options: NodeProcessOptions;
  readonly ground: NodeGround;
  graceMs: number;
  /** When it was told to stop, in milliseconds since 1970. */
  toldAt: number | undefined;
  /** What it runs, where that has to be drained. */
  worker: Pick<RunningRole, 'drain' | 'waitsUntil' | 'left'>;
}

/** Starts one node: it waits for what it depends on, takes up what it had in hand, and runs. */
export async function startNode(options: NodeProcessOptions): Promise<RunningNode> {
  const ground = await layNodeGround(options);
  const start: Start = { options, ground, graceMs: abortedGraceMs, toldAt: undefined, worker: {} };
  try {
    const ready: Readonly<Record<string, string>> = {
      address: ground.member.address,
      ...(await starters[options.role](start)),
    };
    ground.closers.add(keepPresent(ground.stores.presence, ground.member, modelsOf(ready), ground.log));
    ground.operations.started();
    ground.log.info('ready', {});
    let stopping: Promise<void> | undefined;
    return {
      ready,
      stop: (graceMs, onWait) => {
        start.graceMs = graceMs;
        start.toldAt = systemClock.now();
        ground.operations.stopping();
        stopping ??= (start.worker.drain?.(graceMs, onWait) ?? Promise.resolve()).then(
          () => ground.leave(),
          (error: unknown) => ground.leave().then(() => Promise.reject(error as Error)),
        );
        return stopping;
      },
      waitsUntil: () => start.worker.waitsUntil ?? 0,
      left: () => start.worker.left?.() ?? [],
    };
  } catch (error) {
    await ground.leave().catch(() => undefined);
    throw error;
  }
}

/** The models a node that is ready says it serves. */
function modelsOf({ model }: Readonly<Record<string, string>>): readonly string[] {
  return model === undefined ? [] : [model];
}

type Starter = (start: Start) => Promise<Readonly<Record<string, string>>>;

const starters: Readonly<Record<Role, Starter>> = {
  router: startRouter,
  miner: (start) => startWorker('miner', start),
  validator: (start) => startWorker('validator', start),
  oracle: (start) => startWorker('oracle', start),
  client: startClient,
};

async function startRouter(start: Start): Promise<Readonly<Record<string, string>>> {
  const { config } = start.options;
  const { ports, member, closers, log } = start.ground;
  const engine = await openModels(start);
  const index = new LogIndex();
  await index.start(ports.store);
  closers.add(() => index.stop());
  const { offers } = start.ground.stores;
  const router = buildRouter({ config, identity: member, ports, offers, engine, index });
  const { inference, embedder } = engine;
  const front = new Front({ routers: [router], index, inference, wallet: noWallet, embedder });
  router.onTaskEnded = (...ended) => front.taskEnded(...ended);
  closers.add(() => router.stop(graceLeft(start)));
  start.ground.operations.watchRouters({ routers: [router], sessions: () => index.sessions() });
  await router.start(new Map(index.sessions().map((session) => [session, index.routersOf(session)] as const)));
  const own = { ...readerOf(router), stopping: router.base.stopping };
  await start.ground.follow([own], {
    onHead: (block) => front.sawBlock(block),
    onOutage: (state) => front.chainIs(state),
  });
  const { metrics, tracer, probes } = start.ground.operations;
  const gateway = createGateway({
    metrics,
    tracer,
    probes,
    network: front,
    plans: new Plans({ front, index, inference }),
    allowances: new Allowances({ front, routers: [router] }),
    wallets: new Wallets({ front, index, inference }),
    clock: systemClock,
    random: systemRandom,
    log: requestLog(log),
  });
  closers.add(() => gateway.close(graceLeft(start)));
  const { url } = await gateway.listen(config.host, config.port);
  return { url, model: engine.model, scheduling: config.scheduling, device: engine.deviceLine };
}

async function startWorker(
  role: 'miner' | 'validator' | 'oracle',
  start: Start,
): Promise<Readonly<Record<string, string>>> {
  const { config } = start.options;
  const { ports, member, closers } = start.ground;
  const engine = role === 'oracle' ? undefined : await openModels(start);
  const { offers } = start.ground.stores;
  if (role === 'miner' && engine !== undefined) await listModels(start, [engine.model, engine.embedder]);
  const checkpoints = role === 'oracle' ? await checkpointsOf(start) : undefined;
  const idle = await idleOf(start);
  const node = buildWorker(role, { config, identity: member, ports, offers, engine, checkpoints, idle });
  closers.add(() => node.stop(start.graceMs));
  start.worker = node;
  await node.start();
  await start.ground.follow([{ ...readerOf(node), stopping: node.base.stopping }]);
  return engine === undefined ? {} : { model: engine.model, device: engine.deviceLine };
}

/** An oracle signs with its account's key, and reads the log itself. */
async function checkpointsOf({ options: { config }, ground }: Start): Promise<CheckpointOptions> {
  const { ports, member } = ground;
  const accounts = new Map([[member.address, member.accountKey]]);
  const { deployment } = ports.chain;
  const reputation = await openReputationChain({ rpcUrl: rpcUrls(config.rpc), deployment, accounts });
  return { reputation, make: checkpointMaker(ports), everyMs: config.checkpointEveryMs };
}

/** A node that takes no part leaves the pool that it may be in. */
async function idleOf({ options: { config }, ground }: Start): Promise<IdleOptions> {
  const { deployment } = ground.ports.chain;
  const rounds = await openRoundsChain({ rpcUrl: rpcUrls(config.rpc), deployment });
  return { rounds, gate: new IdleGate(), takesPart: config.idleRounds === 'on', turnMs: config.sliceMs };
}

/** What a miner serves is in the registry before it says that it lives: routers go by both. */
async function listModels({ options: { signal, onStep }, ground }: Start, models: readonly string[]): Promise<void> {
  const onWait = (what: string, reason: string): void => onStep(`waiting for ${what}: ${reason}`);
  const { chain } = ground.ports;
  await waitFor('the list of its models', { clock: systemClock, signal, onWait }, () =>
    ensureModels(chain, ground.member.address, models),
  );
}

async function startClient(start: Start): Promise<Readonly<Record<string, string>>> {
  const { config, onStep } = start.options;
  const { ports, member, closers, keys } = start.ground;
  const client = buildClient({ identity: member, ports });
  closers.add(() => client.stop(start.graceMs));
  await client.start();
  await start.ground.follow([{ ...readerOf(client), stopping: client.base.stopping }]);
  const onWait = (what: string, reason: string): void => onStep(`waiting for ${what}: ${reason}`);
  const { model, settlement, appealWindow: appealWindowS } = config;
  const terms = { settlement, appealWindowS };
  const opened = await Promise.all(
    Array.from({ length: config.sessions }, (_, number) =>
      openClientSession({ client, ports, keys, model, number, terms, onWait }),
    ),
  );
  return {
    model,
    session: opened.map(({ session }) => session).join(' '),
    apiKey: opened.map(({ apiKey }) => apiKey).join(' '),
  };
}

async function openModels({ options: { config, onStep }, ground }: Start): Promise<Engine> {
  onStep('loading models');
  const { model, embedder, device, workers } = config;
  const engine = await openEngine({ model, embedder, device, workers });
  ground.closers.add(() => engine.inference.close());
  return { ...engine, inference: ground.operations.wrapInference(engine.inference) };
}

function readerOf(node: Pick<RouterReader, 'onFacts' | 'onRemoved'>): RouterReader {
  return { onFacts: (facts) => node.onFacts(facts), onRemoved: (facts) => node.onRemoved(facts) };
}

type RouterReader = Parameters<NodeGround['follow']>[0][number];

/** Owners of sessions keep their wallets in processes of their own. */
const noWallet: WalletOf = {
  deposit: () => Promise.reject(new Error('no wallet is kept here')),
  close: () => Promise.reject(new Error('no wallet is kept here')),
  appeal: () => Promise.reject(new Error('no wallet is kept here')),
  holds: () => false,
};

type RequestLog = NonNullable<Parameters<typeof createGateway>[0]['log']>;

function requestLog(log: Log): RequestLog {
  return ({ event, error, session, ...record }) => {
    const fields = { ...record, session: session ?? null };
    if (event === 'failed') log.error('a request failed', { ...fields, error: errorMessage(error) });
    else log.info('a request was answered', fields);
  };
}

import { PouwError } from '../../core/errors.ts';
import type { Address } from '../../core/ids.ts';
import { ClientNode } from '../../nodes/client/client-node.ts';
import type { LogIndex } from '../../nodes/log-index.ts';
import { MinerNode } from '../../nodes/miner/miner-node.ts';
import { OracleNode } from '../../nodes/oracle/oracle-node.ts';
import type { NodePorts } from '../../nodes/ports.ts';
import { IdleGate } from '../../nodes/rounds/idle-gate.ts';
import type { IdleOptions } from '../../nodes/rounds/idle-rounds.ts';
import { RouterNode } from '../../nodes/router/router-node.ts';
import { ValidatorNode } from '../../nodes/validator/validator-node.ts';
import type { Appeals } from '../../core/appeals.ts';
import type { Scheduling } from '../../core/scheduling.ts';
import type { Inference } from '../../ports/inference.ts';
import type { JobQueue } from '../../ports/job-queue.ts';
import type { ReputationChain } from '../../ports/reputation.ts';
import type { RoundsChain } from '../../ports/rounds.ts';
import type { Attack } from '../../sim/attacks/attack.ts';
import { checkpointMaker } from './checkpoint-maker.ts';
import type { Engine } from './engine.ts';
import type { Member } from './members.ts';

/** What the nodes of a local network are built with, beside their ports. */
export interface NodeSettings {
  /** The attack of each miner that has one, by its number. */
  readonly attacks?: ReadonlyMap<number, Attack> | undefined;
  /** Time between two anchors of the log, in milliseconds; default 5,000. */
  readonly anchorEveryMs?: number | undefined;
  /** The attack of each validator that has one, by its number. */
  readonly validatorAttacks?: ReadonlyMap<number, Attack> | undefined;
  /** Which outcomes miners appeal by themselves; default `own`. */
  readonly appeals?: Appeals | undefined;
  /** Jobs each miner takes at a time; default 32. */
  readonly minerCapacity?: number | undefined;
  /** How routers find miners; default `preassigned`. */
  readonly scheduling?: Scheduling | undefined;
  /** Between two looks of an oracle at whether a checkpoint of reputation is due, in milliseconds; default 30,000. */
  readonly checkpointEveryMs?: number | undefined;
  /** Whether miners, validators and oracles take part in idle rounds; default false. */
  readonly idleRounds?: boolean | undefined;
  /** Tasks of a model that may wait for their miners at a router; default `limits.routerWaitingTasksMax`. */
  readonly waitingTasksMax?: number | undefined;
}

/** How long a lease on sessions lasts that is not renewed. Leases of this process end with it, so nobody waits for one. */
const leaseMs = 10_000;
/** How often an oracle looks whether a checkpoint is due. */
export const checkpointEveryMs = 30_000;
/** How long one oracle leads. */
const oracleSliceMs = 2_000;

/** Every node of a local network. */
export interface LocalNodes {
  readonly routers: readonly RouterNode[];
  readonly miners: readonly MinerNode[];
  readonly validators: readonly ValidatorNode[];
  readonly oracles: readonly OracleNode[];
  readonly client: ClientNode;
}

/** What nodes of several roles share beside their ports. */
export interface SharedParts {
  readonly offers: JobQueue;
  readonly reputation: ReputationChain;
  readonly rounds: RoundsChain;
}

/** Builds the nodes; nothing runs yet. */
export function buildNodes(
  options: NodeSettings,
  members: readonly Member[],
  ports: NodePorts,
  { inference, model, embedder }: Engine,
  logIndex: LogIndex,
  { offers, reputation, rounds }: SharedParts,
): LocalNodes {
  const identity = ({ role, address, signer }: Member) => ({ role, address, signer });
  const of = (role: Member['role']): readonly Member[] => members.filter((member) => member.role === role);
  const anchorEveryMs = options.anchorEveryMs ?? 5_000;
  const [client] = of('client');
  if (client === undefined) throw new PouwError('no_client', 'A local network has a client.');
  const engineOf = (index: number): Inference => options.attacks?.get(index)?.engine(inference) ?? inference;
  const takesPart = options.idleRounds ?? false;
  // They share one engine: a paying task of any of them is in the way of all.
  const idle: IdleOptions = { rounds, gate: new IdleGate(), takesPart, turnMs: oracleSliceMs };
  return {
    client: new ClientNode(identity(client), ports),
    routers: of('router').map(
      (member) =>
        new RouterNode({
          identity: identity(member),
          ports,
          inference,
          anchorEveryMs,
          leaseMs,
          offers: options.scheduling === 'first-come' ? offers : undefined,
          waitingTasksMax: options.waitingTasksMax,
          index: logIndex,
          isContentShared: true,
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
          appealsWith: options.appeals === 'none' ? undefined : embedder,
          offers,
          idle,
        }),
    ),
    validators: of('validator').map(
      (member) =>
        new ValidatorNode({
          identity: identity(member),
          ports,
          inference: options.validatorAttacks?.get(member.index)?.engine(inference) ?? inference,
          embedder,
          idle,
        }),
    ),
    oracles: of('oracle').map(
      (member) =>
        new OracleNode({
          identity: identity(member),
          ports,
          sliceMs: oracleSliceMs,
          idle,
          checkpoints: {
            reputation,
            make: checkpointMaker(ports),
            everyMs: options.checkpointEveryMs ?? checkpointEveryMs,
          },
        }),
    ),
  };
}

/** Starts them all: each takes up what it had in hand. */
export async function startNodes(nodes: LocalNodes, index: LogIndex): Promise<void> {
  const sessions = new Map(index.sessions().map((session) => [session, index.routersOf(session)] as const));
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

/** Waits until no node has anything in hand, then anchors the log and waits for that. */
export async function settleAll(
  { routers, miners, validators, oracles, client }: LocalNodes,
  { clock }: NodePorts,
): Promise<void> {
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

/** Resolves once the routers have heard of every miner and validator. @throws PouwError `network_not_ready`. */
export async function untilReady({ routers, miners, validators }: LocalNodes, { clock }: NodePorts): Promise<void> {
  const giveUpAt = clock.now() + readyWithinMs;
  const others = [...miners, ...validators].map(({ address }) => address);
  for (;;) {
    const heard = await Promise.all(routers.map((router) => hasHeardOf(router, others, clock.now())));
    if (heard.every(Boolean)) return;
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

/** Whether nodes are in a router's book and alive: the book alone may be of an earlier run. */
async function hasHeardOf(router: RouterNode, others: readonly Address[], nowMs: number): Promise<boolean> {
  const { nodes } = await router.book();
  return others.every((node) => nodes[node]?.online === true && router.presence.isAlive(node, nowMs));
}

import { ClientNode } from '../../nodes/client/client-node.ts';
import type { FactReader } from '../../nodes/fact-pump.ts';
import type { LogIndex } from '../../nodes/log-index.ts';
import { MinerNode } from '../../nodes/miner/miner-node.ts';
import type { NodeBase } from '../../nodes/node-base.ts';
import type { CheckpointOptions } from '../../nodes/oracle/checkpoints.ts';
import { OracleNode } from '../../nodes/oracle/oracle-node.ts';
import type { NodeIdentity, NodePorts } from '../../nodes/ports.ts';
import type { IdleOptions } from '../../nodes/rounds/idle-rounds.ts';
import { RouterNode } from '../../nodes/router/router-node.ts';
import { ValidatorNode } from '../../nodes/validator/validator-node.ts';
import { present } from '../../core/assert.ts';
import { PouwError } from '../../core/errors.ts';
import type { JobQueue } from '../../ports/job-queue.ts';
import type { NodeConfig } from '../config/schema.ts';
import type { Engine } from './engine.ts';

/** What every node is to the process that runs it. */
export interface RunningRole extends FactReader {
  readonly base: NodeBase;
  start(): Promise<void>;
  /**
   * Takes nothing new and ends what it has in hand in `graceMs`, or later where it must not be left; for roles whose work
   * only they can end. `onWait` is told what it waits for then.
   */
  drain?(graceMs: number, onWait: (line: string) => void): Promise<void>;
  /** Until when a drain may still wait, in milliseconds since 1970; the time of its end once it has ended. */
  readonly waitsUntil?: number;
  /** What is left undone if it ends now: a line for each task. */
  left?(): readonly string[];
  stop(graceMs: number): Promise<void>;
}

/** What a node is built from. */
export interface RoleParts {
  readonly config: NodeConfig;
  readonly identity: NodeIdentity;
  readonly ports: NodePorts;
  /** Where routers offer places and miners claim them. */
  readonly offers: JobQueue | undefined;
}

/** Builds a router; nothing runs yet. */
export function buildRouter(parts: RoleParts & { readonly engine: Engine; readonly index: LogIndex }): RouterNode {
  const { config, identity, ports, offers, engine, index } = parts;
  return new RouterNode({
    identity,
    ports,
    inference: engine.inference,
    anchorEveryMs: config.anchorEveryMs,
    leaseMs: config.leaseMs,
    offers: config.scheduling === 'first-come' ? mustOffer(offers) : undefined,
    waitingTasksMax: config.waitingTasks,
    index,
  });
}

function mustOffer(offers: JobQueue | undefined): JobQueue {
  if (offers !== undefined) return offers;
  throw new PouwError('nats_forbidden', 'This key may not use the queues of jobs, which first-come needs.', {
    class: 'forbidden',
    hint: 'Let the servers know it as a router (`pouw nats-config`), or use --scheduling preassigned.',
  });
}

/** Builds a miner, a validator or an oracle; the first two run models. */
export function buildWorker(
  role: 'miner' | 'validator' | 'oracle',
  parts: RoleParts & {
    readonly engine: Engine | undefined;
    readonly checkpoints: CheckpointOptions | undefined;
    readonly idle: IdleOptions;
  },
): RunningRole {
  const { config, identity, ports, offers } = parts;
  const { checkpoints, idle } = parts;
  if (role === 'oracle') return new OracleNode({ identity, ports, sliceMs: config.sliceMs, checkpoints, idle });
  const { inference, model, embedder } = present(parts.engine, 'the models of a miner or validator');
  if (role === 'validator') return new ValidatorNode({ identity, ports, inference, embedder, idle });
  const appealsWith = config.appeals === 'none' ? undefined : embedder;
  const how = { models: [model, embedder], capacity: config.capacity, appealsWith };
  return new MinerNode({ identity, ports, inference, ...how, offers, idle });
}

/** Builds a client with its wallet. */
export function buildClient({ identity, ports }: Pick<RoleParts, 'identity' | 'ports'>): ClientNode {
  return new ClientNode(identity, ports);
}

import { ClientNode } from '../../nodes/client/client-node.ts';
import type { FactReader } from '../../nodes/fact-pump.ts';
import type { LogIndex } from '../../nodes/log-index.ts';
import { MinerNode } from '../../nodes/miner/miner-node.ts';
import type { NodeBase } from '../../nodes/node-base.ts';
import { OracleNode } from '../../nodes/oracle/oracle-node.ts';
import type { NodeIdentity, NodePorts } from '../../nodes/ports.ts';
import { RouterNode } from '../../nodes/router/router-node.ts';
import { ValidatorNode } from '../../nodes/validator/validator-node.ts';
import type { Role } from '../../core/ids.ts';
import type { NodeConfig } from '../config/schema.ts';
import type { Engine } from './engine.ts';

/** What every node is to the process that runs it. */
export interface RunningRole extends FactReader {
  readonly base: NodeBase;
  start(): Promise<void>;
  stop(graceMs: number): Promise<void>;
}

/** What a node is built from. */
export interface RoleParts {
  readonly config: NodeConfig;
  readonly identity: NodeIdentity;
  readonly ports: NodePorts;
  /** The models; only roles that {@link needsEngine} names have them. */
  readonly engine: Engine | undefined;
  readonly index: LogIndex;
}

/** Which roles run models: routers count tokens, miners infer, validators compare. */
export function needsEngine(role: Role): boolean {
  return role === 'router' || role === 'miner' || role === 'validator';
}

/** Builds a router; nothing runs yet. */
export function buildRouter({ config, identity, ports, engine, index }: RoleParts & { engine: Engine }): RouterNode {
  return new RouterNode({
    identity,
    ports,
    inference: engine.inference,
    anchorEveryMs: config.anchorEveryMs,
    leaseMs: config.leaseMs,
    isLogged: (session) => index.routersOf(session).length > 0,
  });
}

/** Builds a miner, a validator or an oracle. */
export function buildWorker(role: 'miner' | 'validator' | 'oracle', parts: RoleParts): RunningRole {
  const { config, identity, ports } = parts;
  if (role === 'oracle') return new OracleNode({ identity, ports, sliceMs: config.sliceMs });
  const { inference, model, embedder } = engineOf(parts);
  if (role === 'validator') return new ValidatorNode({ identity, ports, inference, embedder });
  return new MinerNode({ identity, ports, inference, models: [model, embedder], capacity: config.capacity });
}

/** Builds a client with its wallet. */
export function buildClient({ identity, ports }: RoleParts): ClientNode {
  return new ClientNode(identity, ports);
}

/** The models of a node that cannot do without. */
export function engineOf({ engine, identity }: RoleParts): Engine {
  if (engine === undefined) throw new Error(`a ${identity.role} runs models`);
  return engine;
}

import type { ChainFact } from '../../src/core/chain-fact.ts';
import type { Hex } from '../../src/core/hash.ts';
import type { Address, Cid, SessionId, TaskId } from '../../src/core/ids.ts';
import type { FinishReason } from '../../src/core/precommit.ts';
import type { SeeBound, SeeTaken } from './batched.ts';
import type { JudgeDispute } from './disputes.ts';

/** The node is up and says what it serves. Ends a drain. */
export type StartMiner = {
  readonly type: 'StartMiner';
  readonly miner: Address;
  readonly models: readonly string[];
  /** Jobs at a time, 1 to `limits.minerJobsMax`. */
  readonly capacity: number;
  /** Whether it appeals outcomes that wrong it. */
  readonly appeals?: boolean;
};
/** Take no new jobs, end those under way. */
export type DrainMiner = { readonly type: 'DrainMiner' };

/** A router gives the miner its part of a task. */
export type ReceiveJob = {
  readonly type: 'ReceiveJob';
  readonly session: SessionId;
  readonly task: TaskId;
  readonly attempt: number;
  readonly step: number;
  readonly model: string;
  readonly prompt: Cid;
  readonly maxTokens: number;
  /** Tokens already delivered by another miner, which the answer continues; none where left out. */
  readonly prefix?: readonly number[];
  readonly router: Address;
  /** The subject on which the router reads the tokens. */
  readonly replyTo: string;
  /** For a task that a batch settles: the router is told each step, and not the chain. */
  readonly batched?: true;
};

/** The answer is generated and stored. */
export type ProduceOutput = {
  readonly type: 'ProduceOutput';
  readonly task: TaskId;
  readonly attempt: number;
  readonly resultRoot: Hex;
  readonly result: Cid;
  readonly tokens: number;
  readonly finishReason: FinishReason;
};

/** The answer cannot be generated. */
export type FailJob = {
  readonly type: 'FailJob';
  readonly task: TaskId;
  readonly attempt: number;
  readonly code: string;
  readonly reason: string;
};
/**
 * The router no longer wants the job. Too late once the precommit is on its way to the chain: an unrevealed one costs
 * stake. In a batched session it costs nothing.
 */
export type CancelJob = {
  readonly type: 'CancelJob';
  readonly task: TaskId;
  readonly attempt: number;
  readonly reason: string;
};
/** The miner stops and lets go of a job that binds nothing yet: missing its deadline then costs no stake. */
export type LetGoJob = {
  readonly type: 'LetGoJob';
  readonly task: TaskId;
  readonly attempt: number;
};
/** An effect was refused for good. */
export type MinerEffectFailed = {
  readonly type: 'EffectFailed';
  readonly effect: string;
  readonly task: TaskId;
  readonly attempt: number;
  readonly code: string;
  readonly reason: string;
};
/** The chain said something. */
export type SeeMinerFact = { readonly type: 'SeeFact'; readonly fact: ChainFact };

/** Every command to a miner. */
export type MinerCommand =
  | StartMiner
  | DrainMiner
  | ReceiveJob
  | ProduceOutput
  | FailJob
  | CancelJob
  | LetGoJob
  | MinerEffectFailed
  | SeeMinerFact
  | SeeTaken
  | SeeBound
  | JudgeDispute;

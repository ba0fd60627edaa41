import { assert } from '../../src/core/assert.ts';
import { cidToDigest } from '../../src/core/cid.ts';
import type { Seen } from '../../src/core/effect-action.ts';
import type { Hex } from '../../src/core/hash.ts';
import type { Address, Cid, SessionId, TaskId } from '../../src/core/ids.ts';
import type { JobContext } from './context.ts';
import type { DisputeEffect } from './disputes.ts';
import type { JobReceived, OutputProduced } from './events.ts';

/** Say on chain that the miner is at work. */
export type AckOnChain = { readonly kind: 'ackOnChain'; readonly task: TaskId; readonly attempt: number };

/** Generate the answer, stream its tokens to `replyTo`, store it and answer with `ProduceOutput` or `FailJob`. */
export type Infer = {
  readonly kind: 'infer';
  readonly session: SessionId;
  readonly task: TaskId;
  readonly step: number;
  readonly attempt: number;
  readonly model: string;
  readonly prompt: Cid;
  readonly maxTokens: number;
  readonly prefix: readonly number[];
  readonly router: Address;
  readonly replyTo: string;
};

/** Stop generating; nobody wants the answer. */
export type StopInference = { readonly kind: 'stopInference'; readonly task: TaskId; readonly attempt: number };

/** Put the precommit on chain: with chain and contract these are all fields of `precommitHash`. */
export type PrecommitOnChain = {
  readonly kind: 'precommitOnChain';
  readonly session: SessionId;
  readonly task: TaskId;
  readonly step: number;
  readonly attempt: number;
  readonly miner: Address;
  readonly resultRoot: Hex;
  readonly salt: Hex;
  /** The router that takes it, where a batch brings it to the chain. */
  readonly by?: Address;
};

/** Show on chain what was precommitted. */
export type RevealOnChain = {
  readonly kind: 'revealOnChain';
  readonly task: TaskId;
  readonly attempt: number;
  readonly resultRoot: Hex;
  readonly salt: Hex;
  readonly resultDigest: Hex;
  /** The router that takes it, and the session, where a batch brings it to the chain. */
  readonly by?: Address;
  readonly session?: SessionId;
};

/** Every effect of a miner. */
export type MinerEffect = AckOnChain | Infer | StopInference | PrecommitOnChain | RevealOnChain | DisputeEffect;

/** The miner starts at once: the acknowledgement and the first tokens do not wait for each other. */
export function afterReceipt({ event }: Seen<JobContext, JobReceived>): MinerEffect[] {
  const { type: _, miner: __, batched, ...job } = event;
  if (batched === true) return [{ kind: 'infer', ...job }];
  return [
    { kind: 'ackOnChain', task: event.task, attempt: event.attempt },
    { kind: 'infer', ...job },
  ];
}

/** The precommit of an answer made after the acknowledgement. */
export function afterOutput({ context, event }: Seen<JobContext, OutputProduced>): MinerEffect[] {
  return [precommit(context, event.resultRoot, event.salt)];
}

/** The precommit of an answer that was there before the acknowledgement. */
export function afterLateAck({ context }: Seen<JobContext, never>): MinerEffect[] {
  assert(context.resultRoot !== null && context.salt !== null, 'a produced job has a result and a salt');
  return [precommit(context, context.resultRoot, context.salt)];
}

function precommit(context: JobContext, resultRoot: Hex, salt: Hex): PrecommitOnChain {
  const { session, task, step, attempt, miner, batched, router } = context;
  const by = batched === true ? { by: router } : {};
  return { kind: 'precommitOnChain', session, task, step, attempt, miner, resultRoot, salt, ...by };
}

/** The reveal, once every miner has precommitted. */
export function afterRevealOpened({ context }: Seen<JobContext, never>): MinerEffect[] {
  const { session, task, attempt, resultRoot, result, salt, batched, router } = context;
  assert(resultRoot !== null && result !== null && salt !== null, 'a precommitted job has a result and a salt');
  const by = batched === true ? { by: router, session } : {};
  return [{ kind: 'revealOnChain', task, attempt, resultRoot, salt, resultDigest: cidToDigest(result), ...by }];
}

/** A generation under way is stopped. */
export function stop({ context: { task, attempt } }: Seen<JobContext, never>): MinerEffect[] {
  return [{ kind: 'stopInference', task, attempt }];
}

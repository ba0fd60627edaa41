import type { Hex } from '../core/hash.ts';
import type { SessionId, TaskId } from '../core/ids.ts';
import type { Wei } from '../core/wei.ts';

/** The submission of one task of a plan. */
export interface PlannedSubmission {
  readonly requestId: Hex;
  /** A prompt's, or a template's where it comes after others. */
  readonly promptDigest: Hex;
  readonly maxTokens: number;
  readonly maxPriceWei: Wei;
  /** The tasks that it comes after, in any order; none of a task that begins at once. */
  readonly after: readonly TaskId[];
}

/** A call about tasks that come after others. */
export type StepCall =
  /** All submissions in one transaction, parents first: they are all there, or none is. */
  | { readonly call: 'submitPlan'; readonly session: SessionId; readonly steps: readonly PlannedSubmission[] }
  /** Refunds a step one of whose parents was refunded. Anyone may. */
  | { readonly call: 'refundStep'; readonly task: TaskId };

/** What the prompt of a task is made of, by the chain: nobody has to be asked for it. */
export interface StepSource {
  /** A prompt's, or a template's where it comes after others. */
  readonly promptDigest: Hex;
  /** 0 of a task that comes after none. */
  readonly step: number;
  /** What it comes after, in the order of the chain, with the result that won where there is one. */
  readonly parents: readonly { readonly task: TaskId; readonly resultDigest: Hex | undefined }[];
}

/** What the chain is asked about steps. */
export interface StepReads {
  /** What a task's prompt is made of; undefined where the chain has no such task. */
  stepSource(task: TaskId): Promise<StepSource | undefined>;
}

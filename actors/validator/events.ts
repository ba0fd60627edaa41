import type { Address, Cid, SessionId, TaskId } from '../../src/core/ids.ts';
import type { SeenAt } from '../task/events.ts';
import type { HearingEvent } from './hearing-events.ts';
import type { RevealedResult, SigningBatch } from './context.ts';
import type { ScoredResult } from './checks/check.ts';
import type { VerdictReport } from './verdict.ts';

/** The validator is up. */
export type ValidatorStarted = { readonly type: 'ValidatorStarted'; readonly validator: Address };
/** The validator takes no new validations; those under way end first. */
export type ValidatorDraining = { readonly type: 'ValidatorDraining' };

type OfTask = { readonly task: TaskId };

/** A router asked for the results of a task to be compared. */
export type ValidationReceived = OfTask & {
  readonly type: 'ValidationReceived';
  readonly session: SessionId;
  readonly validator: Address;
  readonly prompt: Cid;
  readonly similarityBps: number;
  readonly level: number;
  readonly attestBy: number;
  readonly results: readonly RevealedResult[];
  /** The router that asked; older logs do not say. */
  readonly router?: Address;
  /** For a task of a batch; left out where the chain is told. */
  readonly batch?: SigningBatch;
};

/** The results were read, checked and compared; the verdict follows from what is in the event. */
export type ResultsScored = OfTask & {
  readonly type: 'ResultsScored';
  readonly results: readonly ScoredResult[];
  readonly similarities: readonly (readonly number[])[];
  readonly promptTokens: number | null;
  readonly report: VerdictReport;
  readonly reportCid: Cid;
};

/** The chain has the attestation; with `seen` null, the router of a batched session has it. */
export type VerdictAttested = OfTask & { readonly type: 'VerdictAttested'; readonly seen: SeenAt | null };
/** The task was decided or ended without this validator. */
export type ValidationClosed = OfTask & {
  readonly type: 'ValidationClosed';
  readonly reason: string;
  readonly seen: SeenAt;
};
/** The validator has no verdict to give, or the chain would not have it. */
export type ValidationFailed = OfTask & {
  readonly type: 'ValidationFailed';
  readonly code: string;
  readonly reason: string;
};

/** Every event of a validation. */
export type ValidationEvent =
  | ValidationReceived
  | ResultsScored
  | VerdictAttested
  | ValidationClosed
  | ValidationFailed;

/** The names of validation events, for routing them to the validation machine. */
export const validationEventTypes = [
  'ValidationReceived',
  'ResultsScored',
  'VerdictAttested',
  'ValidationClosed',
  'ValidationFailed',
] as const satisfies readonly ValidationEvent['type'][];

/** Every event of a validator's stream. */
export type ValidatorEvent = ValidatorStarted | ValidatorDraining | ValidationEvent | HearingEvent;

import type { Folded } from '../../src/core/fold.ts';
import type { Hex } from '../../src/core/hash.ts';
import type { Address, Cid, SessionId, TaskId } from '../../src/core/ids.ts';
import type { VerdictReport } from './verdict.ts';

/** The states of a validator. */
export const validatorStates = ['offline', 'idle', 'busy', 'draining', 'drained'] as const;

/** The states of a validation. */
export const validationStates = ['new', 'scoring', 'attesting', 'attested', 'closed', 'failed'] as const;

/** A revealed result as the router hands it over: where it is and what it must hash to. */
export type RevealedResult = {
  readonly miner: Address;
  readonly attempt: number;
  readonly resultRoot: Hex;
  readonly result: Cid;
};

/** What a verdict for a batch is signed about, beside the task, and who takes it. */
export type SigningBatch = {
  readonly router: Address;
  readonly poster: Address;
  readonly slots: readonly { readonly miner: Address; readonly attempt: number; readonly hash: Hex }[];
};

/** Everything a validation remembers. */
export type ValidationContext = {
  readonly session: SessionId;
  readonly task: TaskId;
  readonly validator: Address;
  readonly prompt: Cid;
  readonly similarityBps: number;
  readonly level: number;
  /** When the attestation must be on chain, milliseconds since 1970. */
  readonly attestBy: number;
  readonly results: readonly RevealedResult[];
  /** The router that asked; null where the log does not say. */
  readonly router: Address | null;
  readonly report: VerdictReport | null;
  readonly failure: { readonly code: string; readonly reason: string } | null;
  /** For a task of a batch; left out where the chain is told. */
  readonly batch?: SigningBatch;
};

/** The states of a hearing. */
export const hearingStates = ['new', 'judging', 'attesting', 'attested', 'closed', 'failed'] as const;

/** Everything a hearing remembers: the part of a validator that was drawn for an appeal. */
export type HearingContext = {
  readonly session: SessionId;
  readonly task: TaskId;
  readonly report: VerdictReport | null;
  readonly failure: { readonly code: string; readonly reason: string } | null;
};

/** Everything a validator remembers. */
export type ValidatorContext = {
  readonly validator: Address | null;
  /** Validations under way and the newest ended ones (`limits.validatorEndedKept`). */
  readonly validations: { readonly [task: TaskId]: Folded<ValidationContext> };
  /** Ended validations still in `validations`, oldest first. */
  readonly ended: readonly TaskId[];
  /** Hearings under way and the newest ended ones, as many. They come beside validations and make nobody busy. */
  readonly hearings: { readonly [task: TaskId]: Folded<HearingContext> };
  /** Ended hearings still in `hearings`, oldest first. */
  readonly heard: readonly TaskId[];
  readonly counts: {
    readonly received: number;
    readonly attested: number;
    readonly closed: number;
    readonly failed: number;
  };
};

const nothing = '';

/** The context of a validation before its first event. */
export const emptyValidation: ValidationContext = {
  session: nothing as SessionId,
  task: nothing as TaskId,
  validator: nothing as Address,
  prompt: nothing as Cid,
  similarityBps: 0,
  level: 0,
  attestBy: 0,
  results: [],
  router: null,
  report: null,
  failure: null,
};

/** The context of a hearing before its first event. */
export const emptyHearing: HearingContext = {
  session: nothing as SessionId,
  task: nothing as TaskId,
  report: null,
  failure: null,
};

/** The context of a validator before its first event. */
export const emptyValidator: ValidatorContext = {
  validator: null,
  validations: {},
  ended: [],
  hearings: {},
  heard: [],
  counts: { received: 0, attested: 0, closed: 0, failed: 0 },
};

import type { Hex } from '../core/hash.ts';
import type { Address, SessionId, TaskId } from '../core/ids.ts';
import type { Wei } from '../core/wei.ts';
import type { CompactSignature, Outcome } from './queue-messages.ts';

/** A call about an appeal of an outcome. */
export type AppealCall =
  /** Pulls the bond, which the sender has to allow first. */
  | { readonly call: 'appeal'; readonly task: TaskId }
  | { readonly call: 'nominate'; readonly task: TaskId; readonly nodes: readonly Address[] }
  | {
      readonly call: 'attestAppeal';
      readonly task: TaskId;
      readonly outcome: Outcome;
      /** `validator` is a place of the draw. */
      readonly carried: readonly {
        readonly validator: number;
        readonly reportDigest: Hex;
        readonly signature: CompactSignature;
      }[];
    }
  | { readonly call: 'endAppeal'; readonly task: TaskId }
  | { readonly call: 'withdrawAppealed' };

/** Where an appeal stands, in the order of the contract's `AppealState`. */
export const appealStates = ['none', 'open', 'upheld', 'overturned', 'undecided'] as const;
export type AppealState = (typeof appealStates)[number];

/** The appeal of a task as the chain has it. */
export interface ChainAppeal {
  readonly state: Exclude<AppealState, 'none'>;
  readonly appellant: Address;
  readonly bondWei: Wei;
  /** How many validators are drawn where there are as many, and how many of them have to find the same. */
  readonly wanted: number;
  readonly needed: number;
  /** The block after that of the appeal. */
  readonly beaconBlock: number;
  /** Undefined before the first nomination. */
  readonly beacon: Hex | undefined;
  /** Until when validators may be nominated, and then until when they attest; milliseconds since 1970. */
  readonly drawBy: number;
  readonly attestBy: number;
  /** Who is drawn, in the order of their keys; a validator's place is its number. */
  readonly validators: readonly { readonly validator: Address; readonly hasAttested: boolean }[];
}

/** A result that was shown, as the chain has it. */
export interface ShownResult {
  readonly miner: Address;
  readonly attempt: number;
  readonly resultRoot: Hex;
  readonly resultDigest: Hex;
}

/** All that is needed to judge the results of a task again: nobody has to be asked for it. */
export interface TaskCase {
  readonly session: SessionId;
  readonly task: TaskId;
  readonly promptDigest: Hex;
  /** By the terms that the task is under. */
  readonly similarityBps: number;
  readonly level: number;
  readonly results: readonly ShownResult[];
}

/** What the chain is asked about appeals. */
export interface AppealReads {
  /** The appeal of a task; undefined where there is none. */
  appeal(task: TaskId): Promise<ChainAppeal | undefined>;
  /** What judging a task again takes; undefined where the chain has no such task, or has settled or refunded it. */
  taskCase(task: TaskId): Promise<TaskCase | undefined>;
  /** What an appeal costs whom it is decided against, and for how many seconds a session may let it be made. */
  appealRules(): Promise<{ readonly bondWei: Wei; readonly windowMaxS: number }>;
  /** What an account may take of bonds and of what validators lost. */
  appealOwed(account: Address): Promise<Wei>;
  /**
   * Why an account may not appeal the outcome of a task, as the contract would say it; undefined where it may. Whether it
   * has the bond is not asked.
   */
  appealRefusal(account: Address, task: TaskId): Promise<string | undefined>;
  /** What a contract may take of an account's $COR for an appeal. */
  appealAllowance(account: Address): Promise<Wei>;
}

import type { Hex } from './hash.ts';
import type { Address, Role, SessionId, TaskId } from './ids.ts';
import type { Wei } from './wei.ts';
import type { AppealFact, AppealWithdrawnFact, HearingFact } from './appeal-fact.ts';
import type { BatchFact } from './batch/fact.ts';
import type { RoundFact } from './round-fact.ts';

/** The rules of a session as the chain keeps them. */
export type SessionTerms = {
  /** The model's id, e.g. `pebble-chat`. */
  readonly model: string;
  /** k: miners per task. */
  readonly redundancy: number;
  /** The fewest miners a task may run with where k cannot be had: 1 to k. */
  readonly minMiners: number;
  /** The most miners in the session's pool, dedicated or reserved: k or more. */
  readonly maxMiners: number;
  /** Validators per task. */
  readonly validators: number;
  /** Cosine similarity from which two answers agree, in ten-thousandths. */
  readonly similarityBps: number;
  /** 0 none, 1 similarity (2 and 3 belong to the issue on verification). */
  readonly level: number;
  /** Whether any active miner may work for the session, or those of `dedicatedMiners` and nobody else. */
  readonly mode: 'ephemeral' | 'dedicated';
  /** How its tasks are settled. */
  readonly settlement: 'perTask' | 'batched';
  /** Whether a listed router may submit tasks in the client's name. */
  readonly routerMaySubmit: boolean;
  readonly maxTaskPriceWei: Wei;
  readonly promptTokenWei: Wei;
  readonly outputTokenWei: Wei;
  /** What a miner is paid for being reserved for one period. */
  readonly reserveFeeWei: Wei;
  /** How many tasks the session may ever submit; 0 for any number. */
  readonly taskLimit: number;
  /** Seconds a submitted task may wait for its miners, then it expires. */
  readonly queueTimeoutS: number;
  /** Seconds a miner may take to acknowledge. */
  readonly ackTimeoutS: number;
  /** Seconds from acknowledgement to precommit. */
  readonly executeTimeoutS: number;
  /** Seconds from the last precommit to the reveal. */
  readonly revealTimeoutS: number;
  /** Seconds from the last reveal to the attestations. */
  readonly validateTimeoutS: number;
  /** Seconds in which an outcome may be appealed; 0 for no appeal. */
  readonly appealWindowS: number;
  /** Seconds a miner is reserved for; 0 where nobody is. */
  readonly reservePeriodS: number;
  readonly routers: readonly Address[];
  /** The list of miners that counts while the mode is `dedicated`. */
  readonly dedicatedMiners: readonly Address[];
};

/** The terms of a session without its lists, which change one by one. */
export type SessionRules = Omit<SessionTerms, 'routers' | 'dedicatedMiners'>;

/** A payment of a settlement. */
export type Payment = {
  readonly to: Address;
  readonly role: 'miner' | 'validator' | 'router' | 'oracle' | 'treasury';
  readonly amountWei: Wei;
};

/** What a router says of an account; `unlisted` takes its word back, and its general rule holds. */
export type AccountAccess = 'unlisted' | 'served' | 'refused';

/** What the chain says happened, decoded. Wei are decimal strings, digests `0x` and 64 digits, deadlines (`…By`) milliseconds since 1970. */
export type ChainFactBody =
  | {
      readonly type: 'NodeRegistered';
      readonly node: Address;
      /** From 1, in the order of registration. */
      readonly number: number;
      readonly roles: readonly Role[];
      readonly key: Hex;
      readonly stakeWei: Wei;
      readonly metadataUri: string;
    }
  | { readonly type: 'NodeActiveSet'; readonly node: Address; readonly active: boolean }
  | { readonly type: 'ModelServed'; readonly node: Address; readonly model: string }
  /** `modelHash` is the keccak256 of the model's id. */
  | { readonly type: 'ModelDropped'; readonly node: Address; readonly modelHash: Hex }
  | { readonly type: 'NodeCooledDown'; readonly node: Address; readonly coolUntilAt: number }
  | { readonly type: 'NodeLevelSet'; readonly node: Address; readonly level: number }
  /** A router says whether it serves an account; `unlisted` takes its word back. */
  | {
      readonly type: 'AccessSet';
      readonly router: Address;
      readonly account: Address;
      readonly access: AccountAccess;
    }
  /** A router says whether it serves only whom it has listed as served. */
  | { readonly type: 'ExclusiveSet'; readonly router: Address; readonly exclusive: boolean }
  /** The highest weight of each level, 0 to 10, in thousandths. */
  | { readonly type: 'MaxWeightsSet'; readonly maxWeights: readonly number[] }
  | {
      readonly type: 'StakeSlashed';
      readonly node: Address;
      /** The task, batch or round it was about. */
      readonly ref: Hex;
      readonly amountWei: Wei;
      readonly reason: 'outlier' | 'unrevealed' | 'contradicted' | 'fraudulent' | 'withheld' | 'absent';
    }
  | { readonly type: 'StakeAdded'; readonly node: Address; readonly amountWei: Wei }
  | { readonly type: 'UnstakeRequested'; readonly node: Address; readonly unbondsAt: number }
  | { readonly type: 'StakeWithdrawn'; readonly node: Address; readonly amountWei: Wei }
  | { readonly type: 'EarningsWithdrawn'; readonly account: Address; readonly amountWei: Wei }
  | {
      readonly type: 'SessionOpened';
      readonly session: SessionId;
      readonly client: Address;
      readonly terms: SessionTerms;
    }
  | { readonly type: 'SessionDeposited'; readonly session: SessionId; readonly from: Address; readonly amountWei: Wei }
  /** From now on new tasks are under other terms; versions count from 1, the terms of the opening. */
  | {
      readonly type: 'SessionUpdated';
      readonly session: SessionId;
      readonly version: number;
      readonly terms: SessionRules;
    }
  | { readonly type: 'SessionTransferred'; readonly session: SessionId; readonly from: Address; readonly to: Address }
  | { readonly type: 'SessionDeactivated'; readonly session: SessionId }
  | { readonly type: 'SessionReactivated'; readonly session: SessionId }
  | { readonly type: 'SessionRouterAdded'; readonly session: SessionId; readonly router: Address }
  | { readonly type: 'SessionRouterRemoved'; readonly session: SessionId; readonly router: Address }
  | { readonly type: 'SessionMinerAdded'; readonly session: SessionId; readonly miner: Address }
  | { readonly type: 'SessionMinerRemoved'; readonly session: SessionId; readonly miner: Address }
  | { readonly type: 'SessionDraining'; readonly session: SessionId }
  | { readonly type: 'SessionClosed'; readonly session: SessionId; readonly refundedWei: Wei }
  | {
      readonly type: 'TaskSubmitted';
      readonly session: SessionId;
      readonly task: TaskId;
      readonly requestId: Hex;
      readonly by: Address;
      readonly promptDigest: Hex;
      readonly maxTokens: number;
      readonly maxPriceWei: Wei;
      /** Of a task that comes after others (`StepSubmitted` on chain): where in a row it stands, from 1. */
      readonly step?: number;
      /** Those that it comes after, in the order of their ids; then `promptDigest` is a template's. */
      readonly after?: readonly TaskId[];
    }
  | {
      readonly type: 'MinersAssigned';
      readonly session: SessionId;
      readonly task: TaskId;
      readonly miners: readonly Address[];
      readonly validators: readonly Address[];
      readonly beaconBlock: number;
      readonly beacon: Hex;
      readonly selectionDigest: Hex;
      readonly ackBy: number;
    }
  | {
      readonly type: 'TaskAcked';
      readonly session: SessionId;
      readonly task: TaskId;
      readonly miner: Address;
      readonly precommitBy: number;
    }
  | {
      readonly type: 'TaskPrecommitted';
      readonly session: SessionId;
      readonly task: TaskId;
      readonly miner: Address;
      readonly hash: Hex;
    }
  | { readonly type: 'AllPrecommitted'; readonly session: SessionId; readonly task: TaskId; readonly revealBy: number }
  | {
      readonly type: 'TaskRevealed';
      readonly session: SessionId;
      readonly task: TaskId;
      readonly miner: Address;
      readonly resultRoot: Hex;
      readonly resultDigest: Hex;
    }
  | { readonly type: 'AllRevealed'; readonly session: SessionId; readonly task: TaskId; readonly attestBy: number }
  | {
      readonly type: 'MinerReassigned';
      readonly session: SessionId;
      readonly task: TaskId;
      readonly miner: Address;
      readonly replacement: Address | null;
      readonly attempt: number;
      readonly oracle: Address;
      readonly ackBy: number;
    }
  | {
      readonly type: 'ResultAttested';
      readonly session: SessionId;
      readonly task: TaskId;
      readonly validator: Address;
      readonly reportDigest: Hex;
    }
  | {
      readonly type: 'ResultValidated';
      readonly session: SessionId;
      readonly task: TaskId;
      readonly winner: Address;
      readonly honest: readonly Address[];
      readonly promptTokens: number;
      readonly outputTokens: number;
      readonly reportDigest: Hex;
    }
  | {
      readonly type: 'TaskSettled';
      readonly session: SessionId;
      readonly task: TaskId;
      readonly priceWei: Wei;
      readonly returnedWei: Wei;
      readonly payments: readonly Payment[];
      readonly manifestDigest: Hex;
    }
  | {
      readonly type: 'TaskRefunded';
      readonly session: SessionId;
      readonly task: TaskId;
      readonly returnedWei: Wei;
      readonly reason: 'cancelled' | 'expired' | 'exhausted' | 'parent_failed';
    }
  | AppealFact
  | HearingFact
  | AppealWithdrawnFact
  | BatchFact
  | RoundFact
  | {
      readonly type: 'LogAnchored';
      readonly epoch: number;
      readonly by: Address;
      readonly root: Hex;
      readonly manifestDigest: Hex;
      readonly commits: number;
    };

/** Where on the chain a fact stands. */
export type ChainPlace = {
  readonly block: number;
  readonly blockHash: Hex;
  /** Block time in milliseconds. */
  readonly blockAt: number;
  readonly txHash: Hex;
  readonly logIndex: number;
};

/** A decoded fact and its place. */
export type ChainFact = ChainFactBody & { readonly place: ChainPlace };

import type { Standing } from '../core/checkpoint.ts';
import type { Hex } from '../core/hash.ts';
import type { Address, EffectId, Role, SessionId, TaskId } from '../core/ids.ts';
import type { WeightedNode } from '../core/selection.ts';
import type { Wei } from '../core/wei.ts';
import type { ChainFact, SessionTerms } from '../core/chain-fact.ts';
import type { AccessCall } from './chain-access.ts';
import type { AllowanceCall, AllowanceReads } from './chain-allowances.ts';
import type { AppealCall, AppealReads } from './chain-appeals.ts';
import type { BatchCall } from './chain-batches.ts';
import type { DisciplineCall } from './chain-discipline.ts';
import type { MarketCall } from './chain-market.ts';
import type { OpeningReads } from './chain-openings.ts';
import type { ReputationCall } from './chain-reputation.ts';
import type { ReservationCall, ReservationReads } from './chain-reservations.ts';
import type { RoundCall } from './chain-rounds.ts';
import type { SessionChangeCall } from './chain-session-changes.ts';
import type { StepCall, StepReads } from './chain-steps.ts';
import type { UseCall, UseReads } from './chain-use.ts';
import type { Subscription } from './event-store.ts';
import type {
  CarriedAttestation,
  CarriedPrecommit,
  CarriedReveal,
  ChainTaskRecord,
  CompactSignature,
  Outcome,
  QueueMessage,
} from './queue-messages.ts';

export type { ChainFact, ChainFactBody, ChainPlace, Payment, SessionTerms } from '../core/chain-fact.ts';
export type {
  CarriedAttestation,
  CarriedPrecommit,
  CarriedReveal,
  CompactSignature,
  Outcome,
} from './queue-messages.ts';

/** The contracts of a deployment, in their order. */
export const contractNames = [
  'cor',
  'timelock',
  'parameters',
  'registry',
  'pricing',
  'allowances',
  'sessions',
  'reservations',
  'appeals',
  'queue',
  'batches',
  'batchChallenges',
  'batchDemands',
  'stakeToUse',
  'anchors',
  'reputation',
  'network',
  'rewards',
] as const;
export type ContractName = (typeof contractNames)[number];

/** Where a deployment lives: its chain, and the address of each contract. */
export interface Deployment extends Readonly<Record<ContractName, Address>> {
  readonly chainId: number;
  /** The block of the deployment: nothing of ours is older. */
  readonly fromBlock: number;
}

/** A block. */
export interface Block {
  readonly number: number;
  readonly hash: Hex;
  /** Milliseconds since 1970; the chain counts whole seconds. */
  readonly at: number;
}

/** A registered node, as far as its registration says. */
export interface RegisteredNode {
  readonly node: Address;
  /** At least one, in the order of `roles`. */
  readonly roles: readonly Role[];
  readonly key: Hex;
  readonly stakeWei: Wei;
  /** Whether it takes new work. */
  readonly active: boolean;
  /** From when the stake may be withdrawn, in milliseconds since 1970; left out where that was not asked for. */
  readonly unbondsAt?: number;
}

/** A registered node, with what has become of it since. */
export interface NodeRecord extends RegisteredNode {
  /** From 1, in the order of registration. */
  readonly number: number;
  /** 0 to 10, by its reputation. */
  readonly level: number;
  /** Milliseconds since 1970 until which it takes no new work after a fault; 0 where there was none. */
  readonly coolUntilAt: number;
}

/** The contracts that take $COR from accounts that let them. */
export type Spender = 'registry' | 'sessions' | 'batches' | 'batchDemands' | 'appeals' | 'reputation' | 'stakeToUse';

/** A transaction as intent; the adapter encodes, signs and sends it. */
export type ChainCall =
  | BatchCall
  | RoundCall
  | ReputationCall
  | AppealCall
  | AccessCall
  | AllowanceCall
  | UseCall
  | StepCall
  | SessionChangeCall
  | ReservationCall
  | DisciplineCall
  | MarketCall
  | { readonly call: 'approve'; readonly spender: Spender; readonly amountWei: Wei }
  | { readonly call: 'transfer'; readonly to: Address; readonly amountWei: Wei }
  | {
      readonly call: 'register';
      readonly roles: readonly Role[];
      readonly key: Hex;
      readonly stakeWei: Wei;
      readonly metadataUri: string;
      /** The ids of the models it serves; `serveModels` adds to them. */
      readonly models: readonly string[];
    }
  | { readonly call: 'serveModels'; readonly models: readonly string[] }
  | { readonly call: 'dropModels'; readonly modelHashes: readonly Hex[] }
  | { readonly call: 'setActive'; readonly active: boolean }
  | { readonly call: 'addStake'; readonly amountWei: Wei }
  | { readonly call: 'requestUnstake' }
  | { readonly call: 'withdrawStake' }
  | { readonly call: 'openSession'; readonly terms: SessionTerms; readonly depositWei: Wei }
  | { readonly call: 'deposit'; readonly session: SessionId; readonly amountWei: Wei }
  /** `deposit` with the sender's permission signed in the same transaction, good until a time in milliseconds since 1970. */
  | {
      readonly call: 'depositWithPermit';
      readonly session: SessionId;
      readonly amountWei: Wei;
      readonly permitBy: number;
    }
  | { readonly call: 'closeSession'; readonly session: SessionId }
  | {
      readonly call: 'submit';
      readonly session: SessionId;
      readonly requestId: Hex;
      readonly promptDigest: Hex;
      readonly maxTokens: number;
      readonly maxPriceWei: Wei;
    }
  | {
      readonly call: 'assign';
      readonly task: TaskId;
      /** How the miners were found: the contract draws them from the candidates, or takes those that came, in their order. */
      readonly scheme: 'drawn' | 'first-come';
      /** In order of address where they are drawn. */
      readonly miners: readonly WeightedNode[];
      /** In order of address; always drawn. */
      readonly validators: readonly WeightedNode[];
      readonly beaconBlock: number;
      readonly beacon: Hex;
      readonly selectionDigest: Hex;
      /** A lane of the session that should be free; the next free one is taken, for gas. */
      readonly lane: number;
      /** For each miner in the order of the draw its `Acceptance`, or null; none where all acknowledge themselves. */
      readonly acceptances?: readonly (CompactSignature | null)[];
    }
  | { readonly call: 'ack'; readonly task: TaskId }
  | { readonly call: 'precommit'; readonly task: TaskId; readonly hash: Hex }
  | { readonly call: 'precommitMany'; readonly task: TaskId; readonly carried: readonly CarriedPrecommit[] }
  | { readonly call: 'revealMany'; readonly task: TaskId; readonly carried: readonly CarriedReveal[] }
  | {
      readonly call: 'attestMany';
      readonly task: TaskId;
      readonly outcome: Outcome;
      readonly carried: readonly CarriedAttestation[];
    }
  | {
      /** `attestMany` that decides the task, and `settle`. */
      readonly call: 'settleWith';
      readonly task: TaskId;
      readonly outcome: Outcome;
      readonly carried: readonly CarriedAttestation[];
      readonly manifestDigest: Hex;
    }
  | {
      readonly call: 'reveal';
      readonly task: TaskId;
      readonly resultRoot: Hex;
      readonly salt: Hex;
      readonly resultDigest: Hex;
    }
  | { readonly call: 'reassign'; readonly task: TaskId; readonly miner: Address; readonly replacement: Address | null }
  | {
      readonly call: 'attest';
      readonly task: TaskId;
      readonly winner: Address;
      readonly honest: readonly Address[];
      readonly promptTokens: number;
      readonly outputTokens: number;
      readonly reportDigest: Hex;
    }
  | { readonly call: 'resolve'; readonly task: TaskId }
  | { readonly call: 'settle'; readonly task: TaskId; readonly manifestDigest: Hex }
  | { readonly call: 'cancel'; readonly task: TaskId }
  | { readonly call: 'expire'; readonly task: TaskId }
  | { readonly call: 'withdrawEarnings' }
  /** Has a node paid its share of an epoch's emission. */
  | {
      readonly call: 'claimReward';
      readonly epoch: number;
      readonly standing: Standing;
      readonly proof: readonly Hex[];
    }
  | { readonly call: 'anchor'; readonly root: Hex; readonly manifestDigest: Hex; readonly commits: number };

/** What a follower reports: facts in chain order; after a reorg first those that no longer hold, newest first. */
export interface ChainFeed {
  /** Facts of blocks up to and including `cursor`, already final for the configured number of confirmations. */
  onFacts(facts: readonly ChainFact[], cursor: ChainCursor): Promise<void>;
  /** Facts a reorg has removed; after a start also such as may have been reported after the cursor was saved. */
  onRemoved(facts: readonly ChainFact[], cursor: ChainCursor): Promise<void>;
  /** The node cannot be reached, or can again. */
  onOutage?(state: 'down' | 'up', reason: string): void;
  /** Nothing more will come: what the cursor says and what the chain has do not go together. */
  onLost?(error: unknown): void;
  /** The chain has a new block, or the follower has come further. */
  onProgress?(progress: ChainProgress): void;
}

/** How far a follower has come. */
export interface ChainProgress {
  /** The newest block seen, confirmed or not. */
  readonly head: number;
  /** All facts up to and including this block were handed on. */
  readonly block: number;
}

/** A point up to which the chain was read: enough recent block hashes to notice a reorg after a restart. */
export interface ChainCursor {
  readonly block: number;
  /** The newest reorg, counted by the adapter, whose removed facts were reported. */
  readonly reorg?: number;
  readonly recent: readonly RecentBlock[];
}

/** A block that was read. */
export interface RecentBlock {
  readonly number: number;
  readonly hash: Hex;
  /** It has no facts, so that nothing is lost where another one takes its place. */
  readonly bare?: true;
}

/** A mined transaction. */
export interface ChainReceipt {
  readonly txHash: Hex;
  readonly block: number;
  readonly gasUsed: number;
  readonly facts: readonly ChainFact[];
}

/** Totals of the whole deployment, stakes included as deposits, in wei. `deposited = balance + escrowed + paid + refunded + slashed` at every block. */
export interface MoneyTotals {
  readonly depositedWei: Wei;
  readonly balanceWei: Wei;
  readonly escrowedWei: Wei;
  readonly paidWei: Wei;
  readonly refundedWei: Wei;
  readonly slashedWei: Wei;
  /** What the contracts hold in tokens: `held = balance + escrowed + unclaimed`. */
  readonly heldWei: Wei;
  /** Paid or slashed and not yet taken out by whose it is. */
  readonly unclaimedWei: Wei;
}

/** The chain as the network needs it, read at the latest block. `test/features/chain.features.ts` is its contract. */
export interface Chain extends AllowanceReads, AppealReads, StepReads, OpeningReads, UseReads, ReservationReads {
  readonly deployment: Deployment;
  /**
   * Sends a call from an account and waits for its receipt. One transaction per account at a time, in
   * order, with a local nonce; an effect id that is on chain already is not sent again, its receipt is
   * returned.
   *
   * @throws PouwError `chain_reverted` with the contract's error name in `details.reason`,
   *   `chain_unreachable` after the retry time, `unknown_account`.
   */
  send(from: Address, call: ChainCall, effect: EffectId): Promise<ChainReceipt>;
  block(number?: number): Promise<Block>;
  /** Waits for a block of at least this number. */
  waitForBlock(number: number, signal?: AbortSignal): Promise<Block>;
  /** The facts of a range of blocks, both ends included, in chain order: what somebody missed who follows from later on. */
  facts(fromBlock: number, toBlock: number): Promise<readonly ChainFact[]>;
  /** Follows the chain from a cursor, or from the deployment's block. */
  follow(cursor: ChainCursor | undefined, feed: ChainFeed): Subscription;
  /** The block in which a task was submitted, and the task as it is now; undefined where the chain has no such task. */
  submittedBlock(task: TaskId): Promise<number | undefined>;
  task(task: TaskId): Promise<ChainTaskRecord | undefined>;
  /** Signs a message of the queue with an account's key. @throws PouwError `unknown_account`. */
  sign(by: Address, message: QueueMessage): Promise<CompactSignature>;
  /** Whether an account has signed a message of the queue, as the contract would see it. */
  isSigned(by: Address, message: QueueMessage, signature: CompactSignature): Promise<boolean>;
  node(address: Address): Promise<NodeRecord | undefined>;
  nodes(): Promise<readonly NodeRecord[]>;
  /** The models a node serves by the registry, by the keccak256 of their ids. */
  servedModels(node: Address): Promise<readonly Hex[]>;
  corBalance(address: Address): Promise<Wei>;
  earnings(address: Address): Promise<Wei>;
  money(): Promise<MoneyTotals>;
  /** What an account signs: 32 bytes, the digest of an EIP-712 message. @throws PouwError `unknown_account`. */
  signDigest(from: Address, digest: Hex): Promise<CompactSignature>;
  /** Who has signed a digest; undefined where the signature is none. */
  signerOf(digest: Hex, signature: CompactSignature): Promise<Address | undefined>;
  /** What an account was paid by the batches of a poster. */
  batchClaimed(poster: Address, account: Address): Promise<Wei>;
  close(): Promise<void>;
}

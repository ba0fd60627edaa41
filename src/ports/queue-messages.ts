import type { CompactSignature } from '../core/recover-signer.ts';
import type { Hex } from '../core/hash.ts';
import type { Address, SessionId, TaskId } from '../core/ids.ts';

export type { CompactSignature };

/** What was found about a task's results, by the slots of its miners; `honest` has one bit for each. */
export interface Outcome {
  readonly winner: number;
  readonly honest: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
}

/** What a node signs about one step of a task, so that somebody else can bring it to the chain. */
export type QueueMessage =
  | {
      readonly is: 'Acceptance';
      readonly task: TaskId;
      readonly step: number;
      readonly attempt: number;
      readonly beaconBlock: number;
    }
  | {
      readonly is: 'Precommit';
      readonly task: TaskId;
      readonly step: number;
      readonly attempt: number;
      readonly precommit: Hex;
    }
  | {
      /** Of a validator that was drawn on appeal it is an `AppealAttestation`, which is good for the appeals only. */
      readonly is: 'Attestation' | 'AppealAttestation';
      readonly task: TaskId;
      readonly step: number;
      readonly outcome: Outcome;
      readonly reportDigest: Hex;
    };

/** A miner's signed precommit, brought by somebody else. */
export interface CarriedPrecommit {
  readonly slot: number;
  readonly hash: Hex;
  readonly signature: CompactSignature;
}

/** A miner's result, brought by somebody else: its precommit is the proof. */
export interface CarriedReveal {
  readonly slot: number;
  readonly resultRoot: Hex;
  readonly salt: Hex;
  readonly resultDigest: Hex;
}

/** A validator's signed word for an outcome, brought by somebody else; `validator` is its place in the assignment. */
export interface CarriedAttestation {
  readonly validator: number;
  readonly reportDigest: Hex;
  readonly signature: CompactSignature;
}

/** The states of a task on chain, in the order of the contract's `TaskState`. */
export const chainTaskStates = [
  'none',
  'queued',
  'assigned',
  'executing',
  'precommitted',
  'committed',
  'validated',
  'settled',
  'refunded',
] as const;
export type ChainTaskState = (typeof chainTaskStates)[number];

/** The states of a miner's part on chain, in the order of the contract's `SlotState`. */
export const chainSlotStates = ['none', 'assigned', 'acked', 'precommitted', 'revealed', 'dropped'] as const;
export type ChainSlotState = (typeof chainSlotStates)[number];

/** Whether what validators found stands on chain, in the order of the contract's `Finality`. */
export const chainFinalities = ['immediate', 'appealable', 'appealed', 'ruled'] as const;
export type ChainFinality = (typeof chainFinalities)[number];

/** One miner's part of a task, as the chain has it; its place in the list is its number. */
export interface ChainSlot {
  readonly miner: Address;
  readonly attempt: number;
  readonly state: ChainSlotState;
  /** When it is late with what comes next before all have precommitted, in milliseconds since 1970. */
  readonly dueBy: number;
  /** What it is bound to; zero before. */
  readonly precommit: Hex;
}

/** A task as the chain has it now. One that waits or has ended has no slots and no validators. */
export interface ChainTaskRecord {
  readonly session: SessionId;
  readonly state: ChainTaskState;
  readonly step: number;
  readonly submittedBlock: number;
  /**
   * Until when reveals, then attestations, are due, and once validated until when the outcome may be appealed or an appeal
   * decided, in milliseconds since 1970.
   */
  readonly phaseBy: number;
  /** Whether the outcome stands at once, once there is one, or may be appealed. */
  readonly finality: ChainFinality;
  /** The router that assigned it; nobody (zero) where nobody has. */
  readonly router: Address;
  /** What stands, or would; undefined before the task is validated, and once it has ended. */
  readonly outcome: Outcome | undefined;
  readonly slots: readonly ChainSlot[];
  readonly validators: readonly { readonly validator: Address; readonly hasAttested: boolean }[];
}

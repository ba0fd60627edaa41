import type { Hex } from './hash.ts';
import type { Address } from './ids.ts';

/** The states of a round, in the order of the contract's `RoundState`; `none` where nobody has asked for it. */
export const roundStates = [
  'none',
  'requested',
  'creating',
  'preparing',
  'prepared',
  'answering',
  'revealing',
  'validating',
  'ended',
  'failed',
] as const;
export type RoundState = (typeof roundStates)[number];

/** Why a round came to nothing, in the order of the contract's `RoundFailure`. */
export const roundFailures = [
  'not-drawn',
  'too-few-nodes',
  'no-topic',
  'no-questions',
  'too-few-answers',
  'nothing-revealed',
  'not-validated',
] as const;
export type RoundFailure = (typeof roundFailures)[number];

/** The roles that have a pool of nodes from which rounds draw. */
export const poolRoles = ['miner', 'validator'] as const;
export type PoolRole = (typeof poolRoles)[number];

type OfRound = { readonly round: number };

/** What the chain says about idle rounds. Deadlines (`…By`) are milliseconds since 1970. */
export type RoundFact =
  | { readonly type: 'PoolJoined'; readonly role: PoolRole; readonly node: Address }
  | { readonly type: 'PoolLeft'; readonly role: PoolRole; readonly node: Address }
  | (OfRound & {
      readonly type: 'RoundRequested';
      readonly by: Address;
      /** The block whose hash decides the draw. */
      readonly beaconBlock: number;
      readonly drawBy: number;
    })
  | (OfRound & {
      readonly type: 'CrewDrawn';
      readonly beacon: Hex;
      readonly creator: Address;
      readonly preparer: Address;
      readonly standbys: readonly Address[];
      readonly createBy: number;
    })
  | (OfRound & {
      readonly type: 'RoundCreated';
      readonly creator: Address;
      readonly topicDigest: Hex;
      readonly prepareBy: number;
    })
  | (OfRound & {
      readonly type: 'RoundPrepared';
      readonly preparer: Address;
      readonly questionsDigest: Hex;
      readonly beaconBlock: number;
      readonly drawBy: number;
    })
  | (OfRound & {
      readonly type: 'RoundStarted';
      readonly beacon: Hex;
      readonly miners: readonly Address[];
      readonly validators: readonly Address[];
      readonly precommitBy: number;
    })
  | (OfRound & { readonly type: 'AnswerPrecommitted'; readonly miner: Address; readonly hash: Hex })
  | (OfRound & { readonly type: 'AnswersPrecommitted'; readonly revealBy: number })
  | (OfRound & {
      readonly type: 'AnswerRevealed';
      readonly miner: Address;
      readonly resultRoot: Hex;
      readonly resultDigest: Hex;
    })
  | (OfRound & { readonly type: 'AnswersRevealed'; readonly validateBy: number })
  /** Who was silent; `replacement` takes its place and has the whole time of the phase, from the block on. */
  | (OfRound & {
      readonly type: 'NodeMissed';
      readonly node: Address;
      readonly phase: RoundState;
      readonly replacement: Address | null;
    })
  | (OfRound & {
      readonly type: 'RoundEnded';
      readonly datasetDigest: Hex;
      /** The answers that are good: bit i for the i-th of the miners drawn. */
      readonly honest: number;
      readonly validators: readonly Address[];
    })
  | (OfRound & { readonly type: 'RoundFailed'; readonly reason: RoundFailure })
  | (OfRound & {
      readonly type: 'IdleWorkCredited';
      readonly epoch: number;
      readonly node: Address;
      readonly credits: number;
    });

import type { Hex } from '../core/hash.ts';
import type { PoolRole } from '../core/round-fact.ts';

/** A transaction of idle rounds as intent. */
export type RoundCall =
  | { readonly call: 'joinPool' | 'quitPool'; readonly role: PoolRole }
  | { readonly call: 'requestRound' }
  | { readonly call: 'drawCrew' | 'startRound' | 'advanceRound'; readonly round: number }
  | { readonly call: 'createRound'; readonly round: number; readonly topicDigest: Hex }
  | { readonly call: 'prepareRound'; readonly round: number; readonly questionsDigest: Hex }
  | { readonly call: 'precommitAnswers'; readonly round: number; readonly hash: Hex }
  | {
      readonly call: 'revealAnswers';
      readonly round: number;
      readonly resultRoot: Hex;
      readonly salt: Hex;
      readonly resultDigest: Hex;
    }
  | {
      readonly call: 'endRound';
      readonly round: number;
      readonly datasetDigest: Hex;
      readonly honest: number;
      /** In the order of the signers' addresses, 65 bytes each. */
      readonly signatures: readonly Hex[];
    };

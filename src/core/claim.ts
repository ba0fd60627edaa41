import { canonicalJson } from './canonical-json.ts';
import { type Signer, verifySignature } from './ed25519.ts';
import type { Hex } from './hash.ts';
import type { Address, SessionId, TaskId } from './ids.ts';

/** A miner's word that it takes a place of a task that a router has offered. */
export type Claim = {
  readonly session: SessionId;
  readonly task: TaskId;
  /** Which of the task's places, from 0. */
  readonly place: number;
  /** The offer it answers. */
  readonly offer: string;
  readonly miner: Address;
};

/** What a miner signs. The log keeps the signature, so that a router can make up no claim. */
function claimText({ session, task, place, offer, miner }: Claim): string {
  return canonicalJson({ kind: 'claim', v: 1, session, task, place, offer, miner });
}

/** The signature of a claim, 128 hex digits. */
export function signClaim(claim: Claim, signer: Signer): string {
  return signer.sign(claimText(claim));
}

/** Whether the holder of `key` has signed a claim. */
export function isClaimSigned(claim: Claim, key: Hex, signature: string): boolean {
  return verifySignature(key, claimText(claim), signature);
}

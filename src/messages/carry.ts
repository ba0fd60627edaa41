import { z } from 'zod';
import { limits } from '../core/limits.ts';
import { bytes32Field, countField, sessionField, taskField } from './fields.ts';

const signatureField = z.object({ r: bytes32Field, vs: bytes32Field });
const uint8 = countField.max(255);
const uint32 = countField.max(4_294_967_295);

const partOf = { session: sessionField, task: taskField, step: uint8 };

const precommitPart = z.object({
  ...partOf,
  is: z.literal('precommit'),
  attempt: uint8,
  precommit: bytes32Field,
  signature: signatureField,
});
/** A miner's precommit, signed for the chain. */
export type PrecommitPart = z.infer<typeof precommitPart>;

const revealPart = z.object({
  ...partOf,
  is: z.literal('reveal'),
  attempt: uint8,
  resultRoot: bytes32Field,
  salt: bytes32Field,
  resultDigest: bytes32Field,
});
/** A miner's result; its precommit is the proof. */
export type RevealPart = z.infer<typeof revealPart>;

const attestationPart = z.object({
  ...partOf,
  is: z.literal('attestation'),
  outcome: z.object({
    winner: uint8.max(limits.redundancyMax - 1),
    honest: countField.max(65_535),
    promptTokens: uint32,
    outputTokens: uint32,
  }),
  reportDigest: bytes32Field,
  signature: signatureField,
});
/** A validator's word for an outcome, signed for the chain. */
export type AttestationPart = z.infer<typeof attestationPart>;

/** Miner or validator to the router that owns the session: take my part of this task to the chain along with the others'. */
export const carryBody = z.discriminatedUnion('is', [precommitPart, revealPart, attestationPart]);
/** A node's part of a task that its router is to carry. */
export type CarryBody = z.infer<typeof carryBody>;

/** Router to miner: do you accept this task, should its assignment be drawn by this block? */
export const acceptBody = z.object({
  ...partOf,
  attempt: uint8,
  model: z.string().min(1).max(256),
  beaconBlock: countField,
});
export type AcceptBody = z.infer<typeof acceptBody>;

/** A miner's answer: its signature of the acceptance, for the assignment. */
export const acceptReply = z.object({ signature: signatureField });

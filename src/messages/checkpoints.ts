import { z } from 'zod';
import type { Checkpoint, Ruling } from '../core/checkpoint.ts';
import type { Hex } from '../core/hash.ts';

const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const bytes32 = z.string().regex(/^0x[0-9a-f]{64}$/) as unknown as z.ZodType<Hex>;

/** `sign-checkpoint` to an oracle: whether it has found the same, and its signature if so. */
export const signCheckpointBody = z.object({
  checkpoint: z.object({
    epoch: count,
    skipped: count,
    fromPosition: count,
    toPosition: count,
    anchorEpoch: count,
    idleWork: count,
    nodes: count,
    revision: count,
    root: bytes32,
    manifestDigest: bytes32,
  }) satisfies z.ZodType<Checkpoint>,
});
/** See {@link signCheckpointBody}. */
export type SignCheckpointBody = z.infer<typeof signCheckpointBody>;

/** `sign-ruling` to an oracle: whether it finds the same of a disputed checkpoint, and its signature if so. */
export const signRulingBody = z.object({
  ruling: z.object({ epoch: count, root: bytes32, revision: count, stands: z.boolean() }) satisfies z.ZodType<Ruling>,
});
/** See {@link signRulingBody}. */
export type SignRulingBody = z.infer<typeof signRulingBody>;

/** The answer to both: 65 bytes. */
export const checkpointSignature = z.object({
  signature: z.string().regex(/^0x[0-9a-f]{130}$/) as unknown as z.ZodType<Hex>,
});

import { z } from 'zod';
import type { Hex } from '../../core/hash.ts';
import type { SessionId } from '../../core/ids.ts';
import type { SignedSessionKey } from '../../core/session-key.ts';
import { parse } from './parse.ts';

const keyRequest = z.object({
  key_hash: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits'),
  /** Seconds since 1970, 40 bits. */
  good_until: z
    .int()
    .min(0)
    .max(2 ** 40 - 1),
  signature: z.string().regex(/^0x[0-9a-f]{128}$/, 'must be 64 bytes in lower-case hex: r and vs of ERC-2098'),
});

/**
 * Reads the body of `POST /v1/sessions/{id}/keys`.
 *
 * @throws PouwError `invalid_request`.
 */
export function readSessionKey(session: SessionId, body: unknown): SignedSessionKey {
  const { key_hash: keyHash, good_until: goodUntilS, signature } = parse(keyRequest, body);
  const [r, vs] = [signature.slice(0, 66), `0x${signature.slice(66)}`] as [Hex, Hex];
  return { session, keyHash, goodUntil: goodUntilS * 1_000, signature: { r, vs } };
}

/** A signed key as {@link readSessionKey} reads it. */
export function sessionKeyBody({ keyHash, goodUntil, signature: { r, vs } }: SignedSessionKey) {
  return { key_hash: keyHash, good_until: Math.floor(goodUntil / 1_000), signature: `${r}${vs.slice(2)}` };
}

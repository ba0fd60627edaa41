import { z } from 'zod';
import { allowanceWeiMax, type SignedAllowance } from '../../core/allowance.ts';
import { isAddress, isSessionId, toAddress } from '../../core/ids.ts';
import { type Wei, wei } from '../../core/wei.ts';
import { parse } from './parse.ts';

const address = z.string().refine(isAddress, 'must be an address').transform(toAddress);

const amount = z
  .string()
  .refine((digits) => /^\d{1,29}$/.test(digits) && BigInt(digits) <= allowanceWeiMax, 'must be wei of at most 96 bits')
  .transform((digits): Wei => wei(digits));

const allowanceRequest = z.object({
  kind: z.literal('pouw.allowance'),
  v: z.literal(1),
  owner: address,
  session: z.string().refine(isSessionId, 'must be a session id'),
  router: address,
  limit_wei: amount,
  task_limit_wei: amount,
  /** Seconds since 1970, 40 bits. */
  good_until: z
    .int()
    .min(0)
    .max(2 ** 40 - 1),
  nonce: z
    .string()
    .refine((digits) => /^\d{1,78}$/.test(digits) && BigInt(digits) < 2n ** 256n, 'must be a number of 256 bits'),
  /** 65 bytes of an account; a contract that owns a session may have others. */
  signature: z.string().regex(/^0x([0-9a-f]{2}){1,2048}$/, 'must be lower-case hex of at most 2,048 bytes'),
});

/**
 * Reads a signed allowance: the body of `POST /v1/sessions/{id}/allowances`, and what `pouw session allow` writes.
 *
 * @throws PouwError `invalid_request`.
 */
export function readAllowance(body: unknown): SignedAllowance {
  const { signature, ...read } = parse(allowanceRequest, body);
  const { owner, session, router, limit_wei: limitWei, task_limit_wei: taskLimitWei, nonce } = read;
  const goodUntil = read.good_until * 1_000;
  return {
    allowance: { owner, session, router, limitWei, taskLimitWei, goodUntil, nonce },
    signature: signature as SignedAllowance['signature'],
  };
}

/** A signed allowance as {@link readAllowance} reads it. */
export function allowanceBody({ allowance, signature }: SignedAllowance) {
  const { owner, session, router, limitWei, taskLimitWei, goodUntil, nonce } = allowance;
  return {
    kind: 'pouw.allowance',
    v: 1,
    owner,
    session,
    router,
    limit_wei: limitWei,
    task_limit_wei: taskLimitWei,
    good_until: Math.floor(goodUntil / 1_000),
    nonce,
    signature,
  } as const;
}

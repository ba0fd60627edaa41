import { z } from 'zod';
import type { Hex } from '../core/hash.ts';
import type { Address, Cid, SessionId, TaskId } from '../core/ids.ts';
import type { Wei } from '../core/wei.ts';

/** A lower-case address. */
export const addressField = z
  .string()
  .regex(/^0x[0-9a-f]{40}$/)
  .transform((value) => value as Address);
/** 32 bytes in hex. */
export const bytes32Field = z
  .string()
  .regex(/^0x[0-9a-f]{64}$/)
  .transform((value) => value as Hex);
/** A task id. */
export const taskField = z
  .string()
  .regex(/^0x[0-9a-f]{64}$/)
  .transform((value) => value as TaskId);
/** A session id. */
export const sessionField = z
  .string()
  .regex(/^\d{1,20}-[0-9a-f]{8}-\d{1,78}$/)
  .transform((value) => value as SessionId);
/** A CIDv1 in base32. */
export const cidField = z
  .string()
  .regex(/^b[a-z2-7]{50,80}$/)
  .transform((value) => value as Cid);
/** An amount of wei. */
export const weiField = z
  .string()
  .regex(/^(0|[1-9]\d{0,38})$/)
  .transform((value) => value as Wei);
/** A whole number from 0. */
export const countField = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
/** Token ids. */
export const tokenIdsField = z
  .array(
    z
      .number()
      .int()
      .min(0)
      .max(2 ** 32),
  )
  .max(131_072);

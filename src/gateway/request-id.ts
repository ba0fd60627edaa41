import type { IncomingHttpHeaders } from 'node:http';
import { PouwError } from '../core/errors.ts';
import { type Hex, keccak256 } from '../core/hash.ts';
import type { SessionId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import type { Random } from '../ports/clock.ts';

const acceptable = /^[A-Za-z0-9._:-]{1,128}$/;

/** The `x-request-id` of an answer: the client's own where it sent a reasonable one. */
export function answerRequestId(headers: IncomingHttpHeaders, random: Random): string {
  const given = headers['x-request-id'];
  if (typeof given === 'string' && acceptable.test(given)) return given;
  return `req_${random.bytes32().slice(2, 34)}`;
}

/**
 * The task's request id that a request's own id, or else its `Idempotency-Key` header, stands for; undefined without
 * either. The session is hashed in, so that the same key says nothing about another session's task.
 *
 * @throws PouwError `invalid_idempotency_key`.
 */
export function requestIdOf(headers: IncomingHttpHeaders, session: SessionId, requestId?: string): Hex | undefined {
  const key = requestId ?? idempotencyKey(headers);
  return key === undefined ? undefined : keccak256(`pouw idempotency key\n${session}\n${key}`);
}

/**
 * The id of the plan that a request's own id, or else its `Idempotency-Key`, stands for; undefined without either.
 *
 * @throws PouwError `invalid_idempotency_key`.
 */
export function planIdOf(
  headers: IncomingHttpHeaders,
  requestId: string | undefined,
  session: SessionId,
): Hex | undefined {
  const key = requestId ?? idempotencyKey(headers);
  return key === undefined ? undefined : keccak256(`pouw plan\n${session}\n${key}`);
}

function idempotencyKey(headers: IncomingHttpHeaders): string | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || key.length < 1 || key.length > limits.idempotencyKeyCharsMax) {
    throw new PouwError(
      'invalid_idempotency_key',
      `An Idempotency-Key has 1 to ${limits.idempotencyKeyCharsMax} characters.`,
      { class: 'invalid', param: 'Idempotency-Key' },
    );
  }
  return key;
}

import { type ErrorClass, PouwError, type PouwErrorOptions } from '../core/errors.ts';
import type { Rejection } from '../core/decision.ts';

/** What an error looks like on the wire: OpenAI's shape, and our `hint` and `details` beside it. */
export interface ErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string;
    readonly hint?: string;
    readonly details?: Readonly<Record<string, unknown>>;
  };
}

/** An error as HTTP. */
export interface ErrorReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ErrorBody;
}

interface StatusRow {
  readonly status: number;
  /** The type OpenAI's clients know for it. */
  readonly type: string;
  /** Whether a client should send the same request again; left to the client where it is absent. */
  readonly retry?: boolean;
  /** How long it should wait before. */
  readonly retryAfterMs?: number;
}

/**
 * Error class to HTTP status. Clients repeat 408, 409, 429 and 500 upwards by themselves, so only what may pass
 * has one of these; `x-should-retry` says it once more where the status alone would mislead.
 */
const statusTable: Readonly<Record<ErrorClass, StatusRow>> = {
  invalid: { status: 400, type: 'invalid_request_error', retry: false },
  unauthorised: { status: 401, type: 'authentication_error', retry: false },
  payment: { status: 402, type: 'insufficient_quota', retry: false },
  forbidden: { status: 403, type: 'permission_error', retry: false },
  'not-found': { status: 404, type: 'invalid_request_error', retry: false },
  conflict: { status: 409, type: 'conflict_error', retry: true, retryAfterMs: 100 },
  'too-large': { status: 413, type: 'invalid_request_error', retry: false },
  busy: { status: 429, type: 'rate_limit_error', retry: true, retryAfterMs: 1_000 },
  timeout: { status: 504, type: 'timeout_error' },
  unavailable: { status: 503, type: 'server_error', retry: true, retryAfterMs: 2_000 },
  corrupt: { status: 500, type: 'server_error', retry: false },
  internal: { status: 500, type: 'server_error' },
};

/** What HTTP has a status of its own for. */
const statusOfCode: Readonly<Record<string, number>> = {
  expectation_failed: 417,
  headers_too_large: 431,
  request_incomplete: 408,
};

/** The HTTP status of an error: its class's, but for a few codes. */
export function errorStatus(error: Pick<PouwError, 'class' | 'code'>): number {
  return statusOfCode[error.code] ?? statusTable[error.class].status;
}

/** The body of an error; what happened, why and what to do stand together in `message`, the one field all clients show. */
export function errorBody(error: PouwError): ErrorBody {
  const message = [error.message, error.why, error.hint].filter((part) => part !== undefined).join(' ');
  return {
    error: {
      message,
      type: statusTable[error.class].type,
      param: error.param ?? null,
      code: error.code,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      ...(error.details === undefined ? {} : { details: error.details }),
    },
  };
}

/** An error as status, headers and body. */
export function errorReply(error: PouwError): ErrorReply {
  const { retry: usually, retryAfterMs: usual } = statusTable[error.class];
  const status = errorStatus(error);
  // Who refuses may know better whether and when it is worth another try.
  const known = (error.details ?? {}) as { readonly retry?: boolean; readonly retryAfterMs?: number };
  const retry = known.retry ?? usually;
  const retryAfterMs = retry === false ? undefined : (known.retryAfterMs ?? usual);
  const headers: Record<string, string> = {};
  if (retry !== undefined) headers['x-should-retry'] = String(retry);
  if (retryAfterMs !== undefined) {
    headers['retry-after'] = String(Math.ceil(retryAfterMs / 1_000));
    headers['retry-after-ms'] = String(retryAfterMs);
  }
  if (status === 401) headers['www-authenticate'] = 'Bearer';
  return { status, headers, body: errorBody(error) };
}

/** Any thrown thing as an error that may be shown: what is not ours says nothing about itself to a client. */
export function shownError(error: unknown): PouwError {
  if (error instanceof PouwError) return error;
  return new PouwError('internal', 'The gateway failed.', {
    class: 'internal',
    hint: "The operator finds the reason in the log, under the answer's x-request-id.",
    cause: error,
  });
}

/** A refusal that came as data, as the error it stands for. */
export function rejectionError({ code, message, hint, details, ...rest }: Rejection): PouwError {
  const options: PouwErrorOptions = { class: rest.class };
  if (hint !== undefined) options.hint = hint;
  if (details !== undefined) options.details = details;
  return new PouwError(code, message, options);
}

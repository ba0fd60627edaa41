/** The severity classes of a {@link PouwError}. */
export const errorClasses = [
  'invalid',
  'unauthorised',
  'payment',
  'forbidden',
  'not-found',
  'conflict',
  'too-large',
  'busy',
  'timeout',
  'unavailable',
  'corrupt',
  'internal',
] as const;
/** The severity class of a {@link PouwError}, from which an HTTP status and an exit code follow. */
export type ErrorClass = (typeof errorClasses)[number];

/** What a {@link PouwError} is made of beside its code and message. */
export interface PouwErrorOptions {
  /** The severity class; decides the HTTP status at the gateway. Default `internal`. */
  class?: ErrorClass;
  /** Why it happened, in one sentence. */
  why?: string;
  /** What the reader can do about it, in one sentence. */
  hint?: string;
  /** The request field, option or file the error is about. */
  param?: string;
  /** Facts a program may read, JSON-able. */
  details?: Readonly<Record<string, unknown>>;
  /** The error underneath. */
  cause?: unknown;
}

/**
 * The one error base class. `code` is stable and documented in `docs/errors.md`; the message says what
 * happened, `why` the reason and `hint` what to do next.
 *
 * @example
 * throw new PouwError('port_in_use', 'Port 8080 is taken.', { class: 'unavailable', hint: 'Use --port.' });
 */
export class PouwError extends Error {
  override readonly name = 'PouwError';
  readonly code: string;
  readonly class: ErrorClass;
  readonly why: string | undefined;
  readonly hint: string | undefined;
  readonly param: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: string, message: string, options: PouwErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.class = options.class ?? 'internal';
    this.why = options.why;
    this.hint = options.hint;
    this.param = options.param;
    this.details = options.details;
  }

  /** The whole story in a few lines, for a terminal. */
  explain(): string {
    const lines = [`error ${this.code}: ${this.message}`];
    if (this.why !== undefined) lines.push(`  why:  ${this.why}`);
    if (this.hint !== undefined) lines.push(`  next: ${this.hint}`);
    return lines.join('\n');
  }

  /** Walks the causes and returns the first one that satisfies `test`, else undefined. */
  walk(test: (error: unknown) => boolean): unknown {
    let current: unknown = this;
    while (current !== undefined && current !== null) {
      if (test(current)) return current;
      current = current instanceof Error ? current.cause : undefined;
    }
    return undefined;
  }
}

/** The code of an error that may not be ours; `internal` where it has none. */
export function errorCode(error: unknown): string {
  return error instanceof PouwError ? error.code : 'internal';
}

/** The message of anything that was thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

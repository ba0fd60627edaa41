import type { Event } from './commit.ts';
import type { ErrorClass } from './errors.ts';

/** Why a command was refused. Nothing has changed. */
export interface Rejection {
  /** Stable and documented in `docs/errors.md`. */
  readonly code: string;
  readonly message: string;
  readonly class: ErrorClass;
  readonly hint?: string;
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}

/** What `decide` answers: events to append (none where the command changes nothing), or a refusal. */
export type Decision<E extends Event> =
  | { readonly ok: true; readonly events: readonly E[] }
  | { readonly ok: false; readonly rejection: Rejection };

/** What a decision may use beside state and command: facts handed in, never fetched. */
export interface Env {
  /** Milliseconds since 1970, from the clock port. */
  readonly now: number;
  /** 32 fresh random bytes in hex, from the random port. */
  readonly random: `0x${string}`;
}

/** The command is granted and leads to these events. */
export function accept<E extends Event>(...events: readonly E[]): Decision<E> {
  return { ok: true, events };
}

/** The command changes nothing: it was carried out before, or no longer matters. */
export const unchanged: Decision<never> = { ok: true, events: [] };

/** The command is refused. */
export function reject(
  code: string,
  message: string,
  options: Omit<Rejection, 'code' | 'message' | 'class'> & { class?: ErrorClass } = {},
): Decision<never> {
  return { ok: false, rejection: { class: 'invalid', ...options, code, message } };
}

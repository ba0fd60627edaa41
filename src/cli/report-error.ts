import { AssertionError } from '../core/assert.ts';
import { errorMessage, PouwError } from '../core/errors.ts';

/** Exit codes of the CLI, documented in `pouw --help`. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, internal: 70 } as const;

/** An error in what the command line asks for, found before anything was begun. */
export class WrongUsage extends Error {
  override readonly cause: PouwError;

  constructor(cause: PouwError) {
    super(cause.message);
    this.cause = cause;
  }
}

/** What commander says of a wrong command line, under a code of ours. */
export function wrongUsage(text: string): string {
  const [message = '', ...rest] = text
    .replace(/^error: /, '')
    .trimEnd()
    .split('\n');
  const error = new PouwError('wrong_usage', message, {
    class: 'invalid',
    hint: 'Run the command with --help.',
  });
  return [error.explain(), ...rest, ''].join('\n');
}

/** Tells a person what went wrong and what to do; answers with the exit code. */
export function reportError(error: unknown): number {
  if (error instanceof WrongUsage) {
    process.stderr.write(`${error.cause.explain()}\n`);
    return exitCodes.usage;
  }
  if (error instanceof PouwError) {
    process.stderr.write(`${error.explain()}\n`);
    return exitCodes.failed;
  }
  const kind = error instanceof AssertionError ? 'assertion' : 'internal';
  process.stderr.write(`error ${kind}: ${errorMessage(error)}\n`);
  if (error instanceof Error && error.stack !== undefined)
    process.stderr.write(`${error.stack.split('\n').slice(1).join('\n')}\n`);
  return exitCodes.internal;
}

import { errorMessage } from '../../core/errors.ts';

/** Where an adapter's failures go that no promise can carry, unless it was given a place: a process warning. */
export function reportError(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : errorMessage(error));
}

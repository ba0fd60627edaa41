import { PouwError } from '../../core/errors.ts';

/** The name of the contract's error that a call was refused with; undefined where it was not refused by a contract. */
export function revertReason(error: unknown): string | undefined {
  if (!(error instanceof PouwError) || error.code !== 'chain_reverted') return undefined;
  const reason = error.details?.['reason'];
  return typeof reason === 'string' ? reason : undefined;
}

import { errorMessage, PouwError } from '../../core/errors.ts';
import type { Cid } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';

/** Nobody had the block in time. */
export function notFound(cid: Cid, timeoutMs: number): PouwError {
  return new PouwError('content_not_found', `No content ${cid} within ${timeoutMs} ms.`, {
    class: 'not-found',
    hint: 'Ask a node that has it pinned, or allow more time.',
  });
}

/** The block is here, but not as it was. */
export function corrupt(cid: Cid, why: string): PouwError {
  return new PouwError('content_corrupt', `The block of ${cid} is damaged.`, {
    class: 'corrupt',
    why,
    hint: 'Storing the same content again repairs it.',
  });
}

/** The block is larger than one may be. */
export function tooLarge(length: number): PouwError {
  return new PouwError(
    'content_too_large',
    `A block of ${length} bytes is over the limit of ${limits.contentBytesMax}.`,
    {
      class: 'too-large',
      hint: 'Split it into several values.',
      details: { bytes: length, bytesMax: limits.contentBytesMax },
    },
  );
}

/** The disk does not take it. */
export function writeFailed(blocks: number, cause: unknown): PouwError {
  return new PouwError('content_write_failed', `${blocks} blocks could not be written.`, {
    class: 'unavailable',
    why: errorMessage(cause),
    hint: 'Free some space or repair the directory; what was put is kept in memory and written by the next flush.',
    cause,
  });
}

/** Why a block could not be had, in our terms: helia has errors of its own, and wraps what its sources throw. */
export function explainMissing(error: unknown, cid: Cid, timeoutMs: number, isTimeUp: boolean): PouwError {
  if (error instanceof PouwError) return error;
  const { name, errors } = error as { name?: string; errors?: readonly unknown[] };
  const ours = errors?.find((inner) => inner instanceof PouwError);
  if (ours !== undefined) return ours;
  if (isTimeUp || name === 'LoadBlockFailedError') return notFound(cid, timeoutMs);
  return corrupt(cid, errorMessage(error));
}

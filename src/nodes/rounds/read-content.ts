import type { z } from 'zod';
import { PouwError } from '../../core/errors.ts';
import type { Cid } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import type { RoundGround } from './round-ground.ts';

/**
 * A part of a round that another node has made.
 *
 * @throws PouwError `content_not_found`, `content_corrupt`, `round_content_wrong` for what is no such part.
 */
export async function readContent<T>(
  { base }: RoundGround,
  cid: Cid,
  schema: z.ZodType<T>,
  signal: AbortSignal,
): Promise<T> {
  const parsed = schema.safeParse(await base.ports.content.get(cid, { timeoutMs: limits.roundContentMsMax, signal }));
  if (parsed.success) return parsed.data;
  throw wrongContent(cid, 'it has another form');
}

/** What a node has made is not what the round wanted of it. */
export function wrongContent(cid: Cid, why: string): PouwError {
  return new PouwError('round_content_wrong', `The content ${cid} is not what the round wanted.`, {
    class: 'invalid',
    why,
  });
}

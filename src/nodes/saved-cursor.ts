import { z } from 'zod';
import { errorMessage, PouwError } from '../core/errors.ts';
import type { Hex } from '../core/hash.ts';
import type { ChainCursor, RecentBlock } from '../ports/chain.ts';

const count = z.int().nonnegative();
const hash = z.custom<Hex>((value) => typeof value === 'string' && /^0x[0-9a-f]{64}$/.test(value));
const savedCursor = z.strictObject({
  block: count,
  reorg: count.optional(),
  recent: z.array(z.strictObject({ number: count, hash, bare: z.literal(true).optional() })),
});

function recentBlock({ number, hash: of, bare }: z.infer<typeof savedCursor>['recent'][number]): RecentBlock {
  return { number, hash: of, ...(bare && { bare }) };
}

/**
 * A cursor of the chain as it was saved.
 *
 * @throws PouwError `chain_cursor_unreadable`: where it is not one, nobody knows which facts were taken.
 */
export function readCursor(saved: string, name: string): ChainCursor {
  try {
    const { block, reorg, recent } = savedCursor.parse(JSON.parse(saved));
    return { block, ...(reorg === undefined ? {} : { reorg }), recent: recent.map(recentBlock) };
  } catch (cause) {
    throw new PouwError('chain_cursor_unreadable', `The saved cursor ${name} says nothing about the chain.`, {
      class: 'corrupt',
      why: cause instanceof z.ZodError ? z.prettifyError(cause) : errorMessage(cause),
      hint: 'Its database is damaged: restore a backup, or use another --data directory.',
      cause,
    });
  }
}

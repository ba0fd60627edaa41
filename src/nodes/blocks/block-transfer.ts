import { cidToDigest } from '../../core/cid.ts';
import { errorMessage } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import type { Cid } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { type BlockRange, encodeBlockMessage, readBlockPiece } from '../../messages/blocks.ts';
import { blockRangeSubject } from '../../messages/subjects.ts';
import type { Bus } from '../../ports/bus.ts';
import type { Offer } from './offers.ts';

/** What came of asking a holder for its block. */
export type Transfer =
  | { readonly outcome: 'block'; readonly block: Uint8Array }
  /** It does not hold it any more, or has too much to do. */
  | { readonly outcome: 'refused' }
  /** It answered wrongly, too late, or not at all. */
  | { readonly outcome: 'failed'; readonly why: string };

class Refused extends Error {}

/**
 * Fetches a block from one holder, range by range, and checks it. Nothing of what the holder says is believed: not the
 * size it offered, nor what it answers.
 *
 * @throws the signal's reason.
 */
export async function transferBlock(
  { bus, peer }: { readonly bus: Bus; readonly peer: string },
  cid: Cid,
  offer: Offer,
  signal: AbortSignal,
): Promise<Transfer> {
  const { holder, size } = offer;
  const block = new Uint8Array(size);
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  let start = 0;
  const fetchRanges = async (): Promise<void> => {
    while (start < size) {
      const offset = start;
      const length = Math.min(limits.blockRangeBytesMax, size - offset);
      start += length;
      block.set(await fetchRange(bus, blockRangeSubject(holder, peer), size, { cid, offset, length }, either), offset);
    }
  };
  try {
    await Promise.all(Array.from({ length: limits.blockRangesMax }, fetchRanges));
  } catch (error) {
    signal.throwIfAborted();
    return error instanceof Refused ? { outcome: 'refused' } : { outcome: 'failed', why: errorMessage(error) };
  } finally {
    stop.abort();
  }
  return `0x${sha256(block)}` === cidToDigest(cid)
    ? { outcome: 'block', block }
    : { outcome: 'failed', why: 'Its bytes do not have the hash that the block is named by.' };
}

async function fetchRange(
  bus: Bus,
  subject: string,
  size: number,
  range: BlockRange,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const request = encodeBlockMessage(range);
  const answer = await bus.request(subject, request, { timeoutMs: limits.blockRangeMsMax, signal });
  const piece = readBlockPiece(answer);
  if (piece === undefined) throw new Refused();
  if (piece.size === size && piece.bytes.length === range.length) return piece.bytes;
  throw new Error(`${piece.bytes.length} bytes of ${piece.size} came; asked for were ${range.length} of ${size}.`);
}

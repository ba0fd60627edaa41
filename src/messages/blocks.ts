import { z } from 'zod';
import { isCid } from '../core/cid.ts';
import type { Cid } from '../core/ids.ts';
import type { JsonObject } from '../core/json.ts';
import { limits } from '../core/limits.ts';

// These messages carry no signature: a block proves itself by its CID, and nothing else in them is believed.

const cid = z.custom<Cid>((value) => typeof value === 'string' && isCid(value));

const offerBody = z.object({ cid, size: z.number().int().min(1).max(limits.contentBytesMax) });
/** A holder's word that it has a block of `size` bytes. */
export type BlockOffer = z.infer<typeof offerBody>;

const rangeBody = z.object({
  cid,
  offset: z
    .number()
    .int()
    .min(0)
    .max(limits.contentBytesMax - 1),
  length: z.number().int().min(1).max(limits.blockRangeBytesMax),
});
/** `length` bytes of a block, from `offset` on. */
export type BlockRange = z.infer<typeof rangeBody>;

/** A piece of a block, with the size of the whole. */
export interface BlockPiece {
  readonly size: number;
  readonly bytes: Uint8Array;
}

/** The answer of who does not have a block, or no time to read it. */
export const nothingHeld = new Uint8Array(0);

/** Bytes before a piece: the size of the block, big-endian. */
const pieceHeadBytes = 4;

/** A longer message is no offer and no range, and not worth reading. */
const bodyBytesMax = 256;

const utf8 = new TextEncoder();
const text = new TextDecoder('utf-8', { fatal: true });

/** Encodes an offer or a range. */
export function encodeBlockMessage(body: BlockOffer | BlockRange): Uint8Array {
  return utf8.encode(JSON.stringify(body satisfies JsonObject));
}

/** Reads an offer; undefined for anything else, a size that no block has included. */
export function readBlockOffer(data: Uint8Array): BlockOffer | undefined {
  return offerBody.safeParse(parse(data)).data;
}

/** Reads the range that is asked for; undefined for anything else. */
export function readBlockRange(data: Uint8Array): BlockRange | undefined {
  return rangeBody.safeParse(parse(data)).data;
}

/** Who wants what, as the subject says; undefined where it names no block of ours. */
export function readBlockWant(subject: string): { cid: Cid; asker: string } | undefined {
  const [wanted = '', asker = ''] = subject.split('.').slice(-2);
  return isCid(wanted) ? { cid: wanted, asker } : undefined;
}

/** Who offers, as the subject says. */
export function readBlockHolder(subject: string): string {
  return subject.slice(subject.lastIndexOf('.') + 1);
}

/** Encodes the answer to a range; {@link nothingHeld} where it lies behind the block's end. */
export function encodeBlockPiece(block: Uint8Array, { offset, length }: BlockRange): Uint8Array {
  const bytes = block.subarray(offset, offset + length);
  if (bytes.length === 0) return nothingHeld;
  const piece = new Uint8Array(pieceHeadBytes + bytes.length);
  new DataView(piece.buffer).setUint32(0, block.length);
  piece.set(bytes, pieceHeadBytes);
  return piece;
}

/** Reads the answer to a range; undefined for {@link nothingHeld} and for what is too short to be anything. */
export function readBlockPiece(data: Uint8Array): BlockPiece | undefined {
  if (data.length <= pieceHeadBytes) return undefined;
  const size = new DataView(data.buffer, data.byteOffset).getUint32(0);
  return { size, bytes: data.subarray(pieceHeadBytes) };
}

function parse(data: Uint8Array): unknown {
  if (data.length > bodyBytesMax) return undefined;
  try {
    return JSON.parse(text.decode(data));
  } catch {
    return undefined;
  }
}

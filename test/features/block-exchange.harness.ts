import { canonicalJson } from '../../src/core/canonical-json.ts';
import { contentCid } from '../../src/core/cid.ts';
import type { Cid } from '../../src/core/ids.ts';
import type { Json } from '../../src/core/json.ts';
import { type BlockRange, encodeBlockMessage, readBlockRange, readBlockWant } from '../../src/messages/blocks.ts';
import { blockOfferSubject, blockRangeSubject, blockWantSubject } from '../../src/messages/subjects.ts';
import type { BlockExchange } from '../../src/ports/block-exchange.ts';
import type { Bus, BusMessage } from '../../src/ports/bus.ts';
import { bytes } from './bus.harness.ts';
import type { Disposable } from './feature.ts';

/** A bus with nobody on it yet, and how to let processes join it. */
export interface BlockExchangeHarness extends Disposable {
  /** A process that exchanges blocks, under a name of its own. */
  readonly join: (peer: string) => BlockExchange;
  /** A connection of somebody who is none of ours. */
  readonly stranger: Bus;
  /** What processes wrote into their logs. */
  readonly logged: readonly { readonly message: string; readonly fields: Readonly<Record<string, unknown>> }[];
  /** How long a feature waits for what must come, in milliseconds. */
  readonly patienceMs: number;
}

/** A block and its name. */
export interface Block {
  readonly cid: Cid;
  readonly data: Uint8Array;
}

/** The block of a value. */
export function blockOf(value: Json): Block {
  return { cid: contentCid(value), data: bytes(canonicalJson(value)) };
}

/** A block of exactly `size` bytes, another one for each letter. */
export function blockOfSize(size: number, letter = 'x'): Block {
  return blockOf(letter.repeat(size - 2));
}

/** Lets an exchange hold some blocks; returns the CIDs it is asked to look up. */
export function hold(exchange: BlockExchange, ...blocks: readonly Block[]): Cid[] {
  const lookedUp: Cid[] = [];
  exchange.serve(async (cid) => {
    lookedUp.push(cid);
    return blocks.find((block) => block.cid === cid)?.data;
  });
  return lookedUp;
}

/** Fetches with the patience of the harness. */
export function fetchFrom(
  exchange: BlockExchange,
  cid: Cid,
  { patienceMs }: BlockExchangeHarness,
): Promise<Uint8Array> {
  return exchange.fetch(cid, AbortSignal.timeout(patienceMs));
}

/** A holder that keeps to no rule. */
export interface StrangeHolder {
  /** What it says when somebody wants `cid`: the offer's bytes. */
  readonly offer: (cid: Cid) => Uint8Array;
  /** What it does when it is asked for a range. */
  readonly answer: (range: BlockRange, message: BusMessage) => void | Promise<void>;
}

/** Puts a strange holder on the bus; returns the ranges it is asked for, and how to make it fall silent. */
export function strangeHolder(
  bus: Bus,
  name: string,
  { offer, answer }: StrangeHolder,
): { readonly asked: BlockRange[]; readonly die: () => Promise<void> } {
  const asked: BlockRange[] = [];
  const wants = bus.subscribe(blockWantSubject('*', '*'), ({ subject }) => {
    const want = readBlockWant(subject);
    if (want !== undefined) bus.publish(blockOfferSubject(want.asker, name), offer(want.cid));
  });
  const ranges = bus.subscribe(blockRangeSubject(name, '*'), (message) => {
    const range = readBlockRange(message.data);
    if (range === undefined) return;
    asked.push(range);
    void answer(range, message);
  });
  return { asked, die: async () => void (await Promise.all([wants.close(), ranges.close()])) };
}

/** The offer of a block as an honest holder makes it. */
export function honestOffer(block: Block): (cid: Cid) => Uint8Array {
  return (cid) => encodeBlockMessage({ cid, size: block.data.length });
}

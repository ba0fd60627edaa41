import { expect } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { encodeBlockMessage, encodeBlockPiece, readBlockRange } from '../../src/messages/blocks.ts';
import { blockRangeSubject } from '../../src/messages/subjects.ts';
import {
  type Block,
  type BlockExchangeHarness,
  blockOf,
  blockOfSize,
  fetchFrom,
  hold,
  honestOffer,
  strangeHolder,
} from './block-exchange.harness.ts';
import { aMoment, eventually, type Feature, gate } from './feature.ts';

/** The lengths of the ranges that are asked of a process. */
function rangesAskedOf(harness: BlockExchangeHarness, peer: string): number[] {
  const lengths: number[] = [];
  harness.stranger.subscribe(
    blockRangeSubject(peer, '*'),
    ({ data }) => void lengths.push(readBlockRange(data)?.length ?? 0),
  );
  return lengths;
}

/** What an exchange does at its bounds. */
export const boundFeatures: readonly Feature<BlockExchangeHarness>[] = [
  {
    name: 'brings the largest block there is, in ranges',
    check: async (harness) => {
      const block = blockOfSize(limits.contentBytesMax);
      hold(harness.join('alice'), block);
      const ranges = rangesAskedOf(harness, 'alice');
      const fetched = await fetchFrom(harness.join('bob'), block.cid, harness);
      expect(Buffer.compare(fetched, block.data)).toBe(0);
      expect(new Set(ranges)).toEqual(new Set([limits.blockRangeBytesMax]));
      expect(ranges).toHaveLength(limits.contentBytesMax / limits.blockRangeBytesMax);
    },
  },
  {
    name: 'does not bring a block of one byte more',
    check: async (harness) => {
      const block = blockOfSize(limits.contentBytesMax + 1);
      const lookups = hold(harness.join('alice'), block);
      const ranges = rangesAskedOf(harness, 'alice');
      const fetched = harness.join('bob').fetch(block.cid, AbortSignal.timeout(200));
      await expect(fetched).rejects.toMatchObject({ name: 'TimeoutError' });
      expect(lookups.length).toBeGreaterThan(0);
      expect(ranges).toEqual([]);
    },
  },
  {
    name: 'brings a block of one range in one message, and of one byte more in two',
    check: async (harness) => {
      const [one, two] = [blockOfSize(limits.blockRangeBytesMax), blockOfSize(limits.blockRangeBytesMax + 1)];
      hold(harness.join('alice'), one, two);
      const ranges = rangesAskedOf(harness, 'alice');
      const bob = harness.join('bob');
      expect(await fetchFrom(bob, one.cid, harness)).toEqual(one.data);
      expect(ranges).toEqual([limits.blockRangeBytesMax]);
      expect(await fetchFrom(bob, two.cid, harness)).toEqual(two.data);
      expect(ranges).toEqual([limits.blockRangeBytesMax, limits.blockRangeBytesMax, 1]);
    },
  },
  {
    name: 'brings many blocks at once, each from whoever has it',
    check: async (harness) => {
      const blocks = Array.from({ length: 300 }, (_, index) => blockOf({ index, text: 'x'.repeat(index * 10) }));
      for (const [turn, name] of ['alice', 'carol', 'dave'].entries()) {
        hold(harness.join(name), ...blocks.filter((_, index) => index % 3 === turn));
      }
      const bob = harness.join('bob');
      const fetched = await Promise.all(blocks.map(({ cid }) => fetchFrom(bob, cid, harness)));
      expect(fetched).toEqual(blocks.map(({ data }) => data));
    },
  },
  {
    name: 'lets a bounded number of bytes be on their way, and of ranges of each block',
    check: async (harness) => {
      const fitting = limits.blockFetchBytesMax / limits.contentBytesMax;
      const blocks = Array.from({ length: fitting + 3 }, (_, index) =>
        blockOfSize(limits.contentBytesMax, String.fromCodePoint(97 + index)),
      );
      const held = new Map(blocks.map((block) => [block.cid, block]));
      const open = gate();
      const { asked } = strangeHolder(harness.stranger, 'alice', {
        offer: (cid) => encodeBlockMessage({ cid, size: limits.contentBytesMax }),
        answer: async (range, { respond }) => {
          await open.opened;
          respond(encodeBlockPiece((held.get(range.cid) as Block).data, range));
        },
      });
      const bob = harness.join('bob');
      const fetched = blocks.map(({ cid }) => fetchFrom(bob, cid, harness));
      const most = fitting * limits.blockRangesMax;
      await eventually('as many ranges as may be', () => asked.length >= most, harness.patienceMs);
      await aMoment(100);
      expect(asked).toHaveLength(most);
      expect(new Set(asked.map(({ cid }) => cid)).size).toBe(fitting);
      open.open();
      for (const [index, block] of (await Promise.all(fetched)).entries()) {
        expect(Buffer.compare(block, (blocks[index] as Block).data)).toBe(0);
      }
    },
  },
  {
    name: 'reads a bounded number of blocks at a time for others, and one that several want once',
    check: async (harness) => {
      const blocks = Array.from({ length: limits.blockReadsMax + 5 }, (_, index) => blockOf({ index }));
      const open = gate();
      const reading: string[] = [];
      harness.join('alice').serve(async (cid) => {
        reading.push(cid);
        await open.opened;
        return blocks.find((block) => block.cid === cid)?.data;
      });
      const askers = ['bob', 'carol'].map((name) => harness.join(name));
      const fetched = blocks.flatMap(({ cid }) => askers.map((asker) => fetchFrom(asker, cid, harness)));
      await eventually('reads', () => reading.length > 0, harness.patienceMs);
      await aMoment(100);
      expect(reading.length).toBeLessThanOrEqual(limits.blockReadsMax);
      open.open();
      await Promise.all(fetched);
      expect(new Set(reading).size).toBe(blocks.length);
      expect(reading).toHaveLength(blocks.length);
    },
  },
  {
    name: 'takes a block from the process that is there when another one does nothing but offer',
    check: async (harness) => {
      const block = blockOf({ offered: 'in vain' });
      const offered = gate();
      for (let index = 0; index < limits.blockOffersMax; index += 1) {
        strangeHolder(harness.stranger, `mallory-${index}`, {
          offer: honestOffer(block),
          answer: (_range, { respond }) => {
            respond(new Uint8Array(100));
            offered.open();
          },
        });
      }
      harness.join('alice').serve(async () => {
        await offered.opened;
        return block.data;
      });
      expect(await fetchFrom(harness.join('bob'), block.cid, harness)).toEqual(block.data);
    },
  },
];

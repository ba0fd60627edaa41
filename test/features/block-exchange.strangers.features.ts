import { expect } from 'vitest';
import type { Cid } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import { type BlockRange, encodeBlockMessage, encodeBlockPiece, nothingHeld } from '../../src/messages/blocks.ts';
import { blockOfferSubject, blockRangeSubject, blockWantSubject } from '../../src/messages/subjects.ts';
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
import { bytes } from './bus.harness.ts';
import { aMoment, type Feature, gate } from './feature.ts';

/** A block in three ranges, the last of them short. */
const long = blockOfSize(2 * limits.blockRangeBytesMax + 100);

/** Answers to a range that no honest holder gives. */
const wrongAnswers: Readonly<Record<string, (block: Block, range: BlockRange) => Uint8Array>> = {
  'other bytes': ({ data }, range) => encodeBlockPiece(data.toReversed().fill(33), range),
  'a range too many': ({ data }, { offset, length, cid }) =>
    encodeBlockPiece(data, { cid, offset, length: length + limits.blockRangeBytesMax }),
  'a byte too few': ({ data }, { offset, length, cid }) => encodeBlockPiece(data, { cid, offset, length: length - 1 }),
  'another size': ({ data }, range) => encodeBlockPiece(new Uint8Array([...data, 0]), range),
  'a size beyond all': ({ data }, range) => {
    const piece = encodeBlockPiece(data, range);
    new DataView(piece.buffer).setUint32(0, 0xffff_ffff);
    return piece;
  },
  'no piece at all': () => bytes('no'),
  'nothing held': () => nothingHeld,
};

/** Sizes that no block has. */
const wrongSizes = [0, -1, 1.5, limits.contentBytesMax + 1, 2 ** 32 + 1, 1e300, null, '5', [1]];

/** Lets alice hold a block, but not say so before the gate is open. */
function holdOnceOpen(harness: BlockExchangeHarness, block: Block, opened: Promise<unknown>): void {
  harness.join('alice').serve(async (cid) => {
    await opened;
    return cid === block.cid ? block.data : undefined;
  });
}

/** The first to offer a block answers wrongly; whoever is second answers rightly. */
function survivesAnswers(
  what: string,
  answerWrongly: (block: Block, range: BlockRange) => Uint8Array,
): Feature<BlockExchangeHarness> {
  const check = async (harness: BlockExchangeHarness): Promise<void> => {
    const lied = gate();
    const { asked } = strangeHolder(harness.stranger, 'mallory', {
      offer: honestOffer(long),
      answer: (range, { respond }) => {
        respond(answerWrongly(long, range));
        lied.open();
      },
    });
    holdOnceOpen(harness, long, lied.opened);
    expect(await fetchFrom(harness.join('bob'), long.cid, harness)).toEqual(long.data);
    expect(asked.length).toBeGreaterThan(0);
    // Whatever has a wrong form is known from its first piece.
    expect(asked.some(({ offset }) => offset === 2 * limits.blockRangeBytesMax)).toBe(what === 'other bytes');
  };
  return { name: `gets a block although the first to offer it answers with ${what}`, check };
}

/** What an exchange promises among those who lie, fail and die. */
export const strangerFeatures: readonly Feature<BlockExchangeHarness>[] = [
  ...Object.entries(wrongAnswers).map(([what, answerWrongly]) => survivesAnswers(what, answerWrongly)),
  {
    name: 'asks whoever answered wrongly last the next time, and says so in the log',
    check: async (harness) => {
      const blocks = [1, 2, 3].map((number) => blockOf({ number }));
      const { asked } = strangeHolder(harness.stranger, 'mallory', {
        offer: (cid) => encodeBlockMessage({ cid, size: 12 }),
        answer: ({ offset, length, cid }, { respond }) =>
          respond(encodeBlockPiece(bytes('{"number":0}'), { cid, offset, length })),
      });
      const lied = gate();
      const bob = harness.join('bob');
      harness.join('alice').serve(async (cid) => {
        if (cid === blocks[0]?.cid) await lied.opened;
        return blocks.find((block) => block.cid === cid)?.data;
      });
      const first = fetchFrom(bob, blocks[0]?.cid as Cid, harness);
      while (asked.length === 0) await aMoment(1);
      lied.open();
      await first;
      const before = asked.length;
      for (const { cid, data } of blocks.slice(1)) expect(await fetchFrom(bob, cid, harness)).toEqual(data);
      expect(asked).toHaveLength(before);
      expect(harness.logged).toContainEqual({
        message: 'a block could not be had from a process that offered it',
        fields: expect.objectContaining({ cid: blocks[0]?.cid, holder: 'mallory' }) as unknown,
      });
    },
  },
  {
    name: 'never takes wrong bytes, whoever else there is not',
    check: async (harness) => {
      const block = blockOf({ wrong: true });
      const { asked } = strangeHolder(harness.stranger, 'mallory', {
        offer: honestOffer(block),
        answer: (range, { respond }) => respond(encodeBlockPiece(block.data.toReversed(), range)),
      });
      const fetched = harness.join('bob').fetch(block.cid, AbortSignal.timeout(300));
      await expect(fetched).rejects.toMatchObject({ name: 'TimeoutError' });
      expect(asked.length).toBeGreaterThan(1);
    },
  },
  {
    name: 'goes to another process where one dies in the middle of a transfer',
    check: async (harness) => {
      const dead = gate();
      const mallory = strangeHolder(harness.stranger, 'mallory', {
        offer: honestOffer(long),
        answer: async (range, { respond }) => {
          respond(encodeBlockPiece(long.data, range));
          await mallory.die();
          dead.open();
        },
      });
      holdOnceOpen(harness, long, dead.opened);
      expect(await fetchFrom(harness.join('bob'), long.cid, harness)).toEqual(long.data);
    },
  },
  {
    name: 'goes to another process where one falls silent in the middle of a transfer',
    check: async (harness) => {
      const silent = gate();
      strangeHolder(harness.stranger, 'mallory', {
        offer: honestOffer(long),
        answer: (range, { respond }) => {
          if (range.offset === 0) respond(encodeBlockPiece(long.data, range));
          silent.open();
        },
      });
      holdOnceOpen(harness, long, silent.opened);
      expect(await fetchFrom(harness.join('bob'), long.cid, harness)).toEqual(long.data);
    },
  },
  {
    name: 'takes a block from a slow process where there is no other',
    check: async (harness) => {
      strangeHolder(harness.stranger, 'tortoise', {
        offer: honestOffer(long),
        answer: async (range, { respond }) => {
          await aMoment(limits.blockSlowMs);
          respond(encodeBlockPiece(long.data, range));
        },
      });
      expect(await fetchFrom(harness.join('bob'), long.cid, harness)).toEqual(long.data);
    },
  },
  {
    name: 'asks nobody for a block of a size that no block has',
    check: async (harness) => {
      const block = blockOf({ size: 'wrong' });
      const alice = gate();
      const strangers = wrongSizes.map((size, index) =>
        strangeHolder(harness.stranger, `mallory-${index}`, {
          offer: (cid) => bytes(JSON.stringify({ cid, size })),
          answer: (_range, { respond }) => respond(nothingHeld),
        }),
      );
      holdOnceOpen(harness, block, alice.opened);
      const fetched = fetchFrom(harness.join('bob'), block.cid, harness);
      await aMoment(100);
      alice.open();
      expect(await fetched).toEqual(block.data);
      expect(strangers.flatMap(({ asked }) => asked)).toEqual([]);
    },
  },
  {
    name: 'gets a block although the first to offer it says that it is larger or smaller',
    check: async (harness) => {
      for (const size of [1, long.data.length - 1, long.data.length + 1, limits.contentBytesMax]) {
        const asked = gate();
        const mallory = strangeHolder(harness.stranger, `mallory-${size}`, {
          offer: (cid) => encodeBlockMessage({ cid, size }),
          answer: ({ length }, { respond }) => {
            respond(encodeBlockPiece(new Uint8Array(size), { cid: long.cid, offset: 0, length }));
            asked.open();
          },
        });
        const alice = harness.join(`alice-${size}`);
        const served = alice.serve(async () => {
          await asked.opened;
          return long.data;
        });
        expect(await fetchFrom(harness.join(`bob-${size}`), long.cid, harness)).toEqual(long.data);
        await Promise.all([mallory.die(), served.close()]);
      }
    },
  },
  {
    name: 'passes over messages that are none',
    check: async (harness) => {
      const block = blockOf({ among: 'noise' });
      const alice = harness.join('alice');
      const lookups = hold(alice, block);
      const bob = harness.join('bob');
      const { stranger } = harness;
      const noise = ['', 'x', '{', '[]', '{"cid":"b"}', `{"cid":"${block.cid}"}`, '\u0000', `"${'x'.repeat(100_000)}"`];
      for (const message of noise.map(bytes)) {
        stranger.publish(blockWantSubject('no-cid' as Cid, 'mallory'), message);
        stranger.publish(blockOfferSubject('bob', 'mallory'), message);
        stranger.publish(blockRangeSubject('alice', 'stranger'), message);
      }
      const ranges = [
        { cid: block.cid, offset: -1, length: 1 },
        { cid: block.cid, offset: 0, length: 0 },
        { cid: block.cid, offset: 0, length: limits.blockRangeBytesMax + 1 },
        { cid: block.cid, offset: limits.contentBytesMax, length: 1 },
      ];
      for (const range of ranges) stranger.publish(blockRangeSubject('alice', 'stranger'), encodeBlockMessage(range));
      await aMoment();
      expect(lookups).toEqual([]);
      expect(await fetchFrom(bob, block.cid, harness)).toEqual(block.data);
    },
  },
  {
    name: 'answers for a range behind the end of a block that it holds nothing',
    check: async (harness) => {
      const block = blockOf({ short: true });
      hold(harness.join('alice'), block);
      const range = encodeBlockMessage({ cid: block.cid, offset: block.data.length, length: 1 });
      const { patienceMs: timeoutMs } = harness;
      expect(await harness.stranger.request(blockRangeSubject('alice', 'stranger'), range, { timeoutMs })).toEqual(
        nothingHeld,
      );
    },
  },
  {
    name: 'goes to another process where one cannot read its block',
    check: async (harness) => {
      const block = blockOf({ unreadable: 'at carol' });
      harness.join('carol').serve(async () => {
        throw new Error('the disk is gone');
      });
      hold(harness.join('alice'), block);
      expect(await fetchFrom(harness.join('bob'), block.cid, harness)).toEqual(block.data);
      expect(harness.logged).toContainEqual({
        message: 'a block could not be read for another process',
        fields: { cid: block.cid, error: 'the disk is gone' },
      });
    },
  },
];

import { afterEach, describe, expect, test } from 'vitest';
import {
  type BlockExchangeHarness,
  blockOf,
  blockOfSize,
  honestOffer,
  strangeHolder,
} from '../../../test/features/block-exchange.harness.ts';
import { eventually, gate } from '../../../test/features/feature.ts';
import { createLocalBus } from '../../adapters/local/local-bus.ts';
import { contentCid } from '../../core/cid.ts';
import type { Cid } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { encodeBlockMessage, encodeBlockPiece, nothingHeld } from '../../messages/blocks.ts';
import { blockOfferSubject, blockRangeSubject, blockWantSubject } from '../../messages/subjects.ts';
import type { BlockExchange } from '../../ports/block-exchange.ts';
import type { Bus } from '../../ports/bus.ts';
import { silentLog } from '../../ports/log.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { createBusBlockExchange } from './bus-block-exchange.ts';

/** Messages cross the bus in turns of the event loop: enough of them for a question and its answer. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 8; turn += 1) await new Promise(setImmediate);
}

interface Scene extends Pick<BlockExchangeHarness, 'join'> {
  readonly clock: VirtualClock;
  readonly bus: Bus;
}

let exchanges: BlockExchange[] = [];
let buses: Bus[] = [];
afterEach(async () => {
  await Promise.all(exchanges.map((exchange) => exchange.close()));
  exchanges = [];
  await Promise.all(buses.map((bus) => bus.drain()));
  buses = [];
});

function scene(): Scene {
  const clock = new VirtualClock({ settle });
  const bus = createLocalBus({ clock });
  buses.push(bus);
  const join = (peer: string): BlockExchange => {
    const exchange = createBusBlockExchange({ bus, clock, log: silentLog, peer });
    exchanges.push(exchange);
    return exchange;
  };
  return { clock, bus, join };
}

/** Fetches until the test ends. */
function fetchForEver(exchange: BlockExchange, cid: Cid): { readonly block: () => Uint8Array | undefined } {
  let block: Uint8Array | undefined;
  exchange.fetch(cid, new AbortController().signal).then(
    (fetched) => (block = fetched),
    () => undefined,
  );
  return { block: () => block };
}

describe('whoever wants a block', () => {
  test('asks at once, and again after pauses that double up to the bound', async () => {
    const { clock, bus, join } = scene();
    const asked: number[] = [];
    bus.subscribe(blockWantSubject('*', '*'), () => void asked.push(clock.now()));
    fetchForEver(join('bob'), contentCid('nobody has it'));
    await clock.advance(4_000);
    expect(asked).toEqual([0, 20, 60, 140, 300, 620, 1_260, 2_260, 3_260]);
    expect(asked[1]).toBe(limits.blockRetryMsMin);
    expect((asked.at(-1) ?? 0) - (asked.at(-2) ?? 0)).toBe(limits.blockRetryMsMax);
  });

  test('asks the next when one is slow, but no more than a few at a time', async () => {
    const { clock, bus, join } = scene();
    const block = blockOf({ wanted: 'much' });
    const asked: [string, number][] = [];
    for (const name of ['a', 'b', 'c', 'd']) {
      strangeHolder(bus, name, {
        offer: honestOffer(block),
        answer: () => void asked.push([name, clock.now()]),
      });
    }
    fetchForEver(join('bob'), block.cid);
    await clock.advance(limits.blockSlowMs - 1);
    expect(asked).toEqual([['a', 0]]);
    await clock.advance(limits.blockRangeMsMax - limits.blockSlowMs);
    expect(asked).toEqual([
      ['a', 0],
      ['b', limits.blockSlowMs],
      ['c', 2 * limits.blockSlowMs],
    ]);
    expect(asked).toHaveLength(limits.blockHoldersMax);
    await clock.advance(1);
    expect(asked.slice(limits.blockHoldersMax)).toEqual([['d', limits.blockRangeMsMax]]);
  });

  test('takes the answer of the slow one too', async () => {
    const { clock, bus, join } = scene();
    const block = blockOf({ slow: true });
    strangeHolder(bus, 'tortoise', {
      offer: honestOffer(block),
      answer: async (range, { respond }) => {
        await clock.sleep(limits.blockRangeMsMax - 1);
        respond(encodeBlockPiece(block.data, range));
      },
    });
    const fetched = fetchForEver(join('bob'), block.cid);
    await clock.advance(limits.blockRangeMsMax - 2);
    expect(fetched.block()).toBeUndefined();
    await clock.advance(1);
    expect(fetched.block()).toEqual(block.data);
    await clock.advance(0);
    expect(clock.nextAt()).toBeUndefined();
  });

  test('asks nobody any more once it has the block', async () => {
    const { clock, bus, join } = scene();
    const block = blockOf({ found: true });
    const wants: string[] = [];
    bus.subscribe(blockWantSubject('*', '*'), ({ subject }) => void wants.push(subject));
    strangeHolder(bus, 'alice', {
      offer: honestOffer(block),
      answer: async (range, { respond }) => {
        // The pause is over by then, and all would be asked again.
        await clock.sleep(2 * limits.blockRetryMsMin);
        respond(encodeBlockPiece(block.data, range));
      },
    });
    const fetched = fetchForEver(join('bob'), block.cid);
    await clock.advance(2 * limits.blockRetryMsMin);
    expect(fetched.block()).toEqual(block.data);
    expect(clock.nextAt()).toBeUndefined();
    await clock.advance(limits.blockRetryMsMax);
    expect(wants).toHaveLength(1);
  });

  test('asks whoever was too slow last the next time', async () => {
    const { clock, bus, join } = scene();
    const [first, second] = [blockOf({ block: 1 }), blockOf({ block: 2 })];
    const asked: Cid[] = [];
    strangeHolder(bus, 'tortoise', {
      offer: (cid) => encodeBlockMessage({ cid, size: first.data.length }),
      answer: ({ cid }) => void asked.push(cid),
    });
    const honest = strangeHolder(bus, 'hare', {
      offer: (cid) => encodeBlockMessage({ cid, size: first.data.length }),
      answer: (range, { respond }) => respond(encodeBlockPiece((range.cid === first.cid ? first : second).data, range)),
    });
    const bob = join('bob');
    const one = fetchForEver(bob, first.cid);
    await clock.advance(limits.blockSlowMs);
    expect(one.block()).toEqual(first.data);
    const two = fetchForEver(bob, second.cid);
    await clock.advance(0);
    expect(two.block()).toEqual(second.data);
    expect(asked).toEqual([first.cid]);
    expect(honest.asked.map(({ cid }) => cid)).toEqual([first.cid, second.cid]);
  });

  test('trusts whoever was too slow again once it has answered', async () => {
    const { clock, bus, join } = scene();
    const blocks = [blockOf({ block: 1 }), blockOf({ block: 2 })];
    let delayMs: number = limits.blockSlowMs;
    strangeHolder(bus, 'tortoise', {
      offer: (cid) => encodeBlockMessage({ cid, size: blockOf({ block: 0 }).data.length }),
      answer: async (range, { respond }) => {
        await clock.sleep(delayMs);
        const block = blocks.find(({ cid }) => cid === range.cid);
        respond(block === undefined ? nothingHeld : encodeBlockPiece(block.data, range));
      },
    });
    const bob = join('bob');
    const [one, two] = blocks.map(({ cid }) => cid) as [Cid, Cid];
    const first = fetchForEver(bob, one);
    await clock.advance(limits.blockSlowMs);
    expect(first.block()).toEqual(blocks[0]?.data);
    delayMs = 0;
    const second = fetchForEver(bob, two);
    await clock.advance(0);
    expect(second.block()).toEqual(blocks[1]?.data);
  });

  test('asks for a bounded number of blocks at a time', async () => {
    const { clock, bus, join } = scene();
    const asked = new Set<string>();
    bus.subscribe(blockWantSubject('*', '*'), ({ subject }) => void asked.add(subject));
    const bob = join('bob');
    const abort = new AbortController();
    const first = bob.fetch(contentCid('first'), abort.signal);
    for (let index = 1; index <= limits.blockSearchesMax; index += 1) fetchForEver(bob, contentCid(index));
    for (let turn = 0; turn < 200; turn += 1) await settle();
    expect(asked.size).toBe(limits.blockSearchesMax);
    abort.abort(new Error('make room'));
    await expect(first).rejects.toThrow('make room');
    await settle();
    expect(asked.size).toBe(limits.blockSearchesMax + 1);
    expect(clock.now()).toBe(0);
  });

  test('does not ask a holder twice at a time, however often it offers', async () => {
    const { clock, bus, join } = scene();
    const block = blockOfSize(3 * limits.blockRangeBytesMax);
    const { asked } = strangeHolder(bus, 'tortoise', { offer: honestOffer(block), answer: () => undefined });
    fetchForEver(join('bob'), block.cid);
    await clock.advance(limits.blockRangeMsMax - 1);
    expect(asked.map(({ offset }) => offset)).toEqual([0, limits.blockRangeBytesMax]);
    expect(asked).toHaveLength(limits.blockRangesMax);
  });

  test('ends with what the bus ended with', async () => {
    const { bus, join } = scene();
    const bob = join('bob');
    await bus.drain();
    await expect(bob.fetch(contentCid('x'), new AbortController().signal)).rejects.toMatchObject({
      code: 'bus_closed',
    });
  });
});

describe('whoever holds blocks', () => {
  test('lets a bounded number of questions wait, and sends the others elsewhere', async () => {
    const { clock, bus, join } = scene();
    const block = blockOf({ wanted: 'by everybody' });
    const open = gate();
    let offers = 0;
    bus.subscribe(blockOfferSubject('*', 'alice'), () => void (offers += 1));
    const alice = join('alice');
    alice.serve(async () => {
      await open.opened;
      return block.data;
    });
    const taken = limits.blockReadsMax + limits.blockReadsQueuedMax;
    for (let index = 0; index < taken + 10; index += 1)
      bus.publish(blockWantSubject(block.cid, `b${index}`), new Uint8Array());
    for (let turn = 0; turn < 10; turn += 1) await settle();
    const range = encodeBlockMessage({ cid: block.cid, offset: 0, length: 1 });
    expect(await bus.request(blockRangeSubject('alice', 'bob'), range, { timeoutMs: 1_000 })).toEqual(nothingHeld);
    open.open();
    await eventually('all offers', () => offers >= taken, 5_000);
    await settle();
    expect(offers).toBe(taken);
    expect(clock.now()).toBe(0);
  });

  test('reads nothing for who has given up waiting', async () => {
    const { clock, bus, join } = scene();
    const blocks = Array.from({ length: limits.blockReadsMax + 2 }, (_, index) => blockOf({ index }));
    const looked: Cid[] = [];
    const open = gate();
    join('alice').serve(async (cid) => {
      looked.push(cid);
      await open.opened;
      return undefined;
    });
    for (const { cid } of blocks.slice(0, -1)) bus.publish(blockWantSubject(cid, 'bob'), new Uint8Array());
    await clock.advance(1);
    bus.publish(blockWantSubject(blocks.at(-1)?.cid as Cid, 'bob'), new Uint8Array());
    await clock.advance(limits.blockRangeMsMax);
    open.open();
    await settle();
    expect(looked).toHaveLength(limits.blockReadsMax + 1);
    expect(looked).not.toContain(blocks.at(-2)?.cid);
    expect(looked).toContain(blocks.at(-1)?.cid);
  });

  test('reads nothing more once its server is closed', async () => {
    const { bus, join } = scene();
    const looked: Cid[] = [];
    const open = gate();
    const served = join('alice').serve(async (cid) => {
      looked.push(cid);
      await open.opened;
      return undefined;
    });
    const most = limits.blockReadsMax;
    for (let index = 0; index <= most; index += 1)
      bus.publish(blockWantSubject(contentCid(index), 'bob'), new Uint8Array());
    await settle();
    const closed = served.close();
    open.open();
    await closed;
    await settle();
    expect(looked).toHaveLength(most);
  });

  test('has a name of one token and serves once at a time', () => {
    const { join } = scene();
    for (const name of ['', 'a.b', '*', '>', 'a b', 'x'.repeat(65)]) expect(() => join(name)).toThrow('one token');
    const alice = join('x'.repeat(64));
    alice.serve(async () => undefined);
    expect(() => alice.serve(async () => undefined)).toThrow('once');
  });
});

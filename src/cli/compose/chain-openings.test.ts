import { expect, test } from 'vitest';
import { address, router, session as ours } from '../../../test/actors/chain-facts.ts';
import { type Address, type SessionId, sessionId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import type { OpeningsAsked, SessionOpening } from '../../ports/chain-openings.ts';
import { ChainOpenings } from './chain-openings.ts';

const other = address(0x41);
const sessionOf = (number: number): SessionId => sessionId(31_337, address(0x99), number);

/** A chain with sessions in its blocks, and what it was asked. */
function chain(opened: readonly (SessionOpening & { readonly block: number })[], head = 100_000) {
  const asked: OpeningsAsked[] = [];
  const world = { head, now: 0 };
  let moves = true;
  const openings = async (one: OpeningsAsked): Promise<readonly SessionOpening[]> => {
    asked.push(one);
    return opened.filter(({ session, block }) => {
      if (block > world.head) return false;
      return 'session' in one ? session === one.session : block >= one.fromBlock && block <= one.toBlock;
    });
  };
  const block = async () => ({ number: world.head, hash: `0x${'0'.repeat(64)}` as const, at: 0 });
  const sleep = async (ms: number): Promise<void> => {
    world.now += ms;
    if (moves) world.head += 1;
  };
  const made = new ChainOpenings({
    ask: (question) => question({ openings, block }),
    clock: { now: () => world.now, sleep },
    signal: new AbortController().signal,
  });
  return { made, asked, world, stand: () => void (moves = false) };
}

const claim = (session: SessionId, block: number | undefined, author: Address = router) => ({ session, block, author });

test('openings are looked for where they are said to be, many in one question, and once', async () => {
  const opened = [1, 2, 3].map((number) => ({ session: sessionOf(number), routers: [router], block: number * 10 }));
  const { made, asked } = chain(opened);
  const claims = opened.map(({ session, block }) => claim(session, block));
  await made.learn(claims);
  await made.learn(claims);
  expect(asked).toEqual([{ fromBlock: 10, toBlock: 30 }]);
  expect(opened.map(({ session }) => made.get(session))).toEqual([[router], [router], [router]]);
});

test('blocks that lie further apart than a question may reach are asked for by themselves', async () => {
  const far = 1 + limits.chainLogRangeBlocksMax;
  const opened = [1, far].map((block, index) => ({ session: sessionOf(index), routers: [router], block }));
  const { made, asked } = chain(opened);
  await made.learn(opened.map(({ session, block }) => claim(session, block)));
  expect(asked).toEqual([
    { fromBlock: 1, toBlock: 1 },
    { fromBlock: far, toBlock: far },
  ]);
});

test('an opening that a reorg has moved is found, and one that is nowhere is not', async () => {
  const { made, asked } = chain([{ session: ours, routers: [router, other], block: 50 }]);
  await made.learn([claim(ours, 49)]);
  expect(made.get(ours)).toEqual([router, other]);
  await made.learn([claim(sessionOf(7), 49), claim(sessionOf(8), undefined)]);
  expect([made.get(sessionOf(7)), made.get(sessionOf(8))]).toEqual([undefined, undefined]);
  expect(asked.filter((one) => 'session' in one)).toHaveLength(2);
});

test('who tells of what is not there has nobody search for it again', async () => {
  const { made, asked } = chain([{ session: ours, routers: [router], block: 50 }]);
  for (const number of [7, 8, 9]) await made.learn([claim(sessionOf(number), 1, other)]);
  expect(asked.filter((one) => 'session' in one)).toHaveLength(1);
  await made.learn([claim(ours, 50, other)]);
  expect(made.get(ours)).toEqual([router]);
});

test('a block that the chain does not have yet is waited for', async () => {
  const { made, world } = chain([{ session: ours, routers: [router], block: 105 }], 100);
  await made.learn([claim(ours, 105)]);
  expect([made.get(ours), world.head]).toEqual([[router], 105]);
});

test('a block that does not come is waited for, of each author in vain once', async () => {
  const { made, world, stand } = chain([], 100);
  stand();
  await made.learn([claim(sessionOf(7), 100 + limits.openingBlocksAheadMax, other)]);
  expect(world.now).toBeGreaterThanOrEqual(limits.openingWaitMsMax);
  const before = world.now;
  await made.learn([claim(sessionOf(8), 101, other)]);
  expect(world.now).toBe(before);
});

test('nobody waits for a block that is far, nor for one of a session that the chain has in another', async () => {
  const { made, world } = chain([{ session: ours, routers: [other], block: 50 }], 100);
  for (const block of [Number.MAX_SAFE_INTEGER, 101]) await made.learn([claim(ours, block, other)]);
  expect(made.get(ours)).toEqual([other]);
  await made.learn([claim(sessionOf(7), 101 + limits.openingBlocksAheadMax, other)]);
  expect(world.now).toBe(0);
});

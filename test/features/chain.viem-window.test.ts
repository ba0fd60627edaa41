import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Hex } from '../../src/core/hash.ts';
import { limits } from '../../src/core/limits.ts';
import { cor, effect, heardOf, listen, openSession } from './chain.harness.ts';
import { cast, type LocalChain, rpc, startLocalChain } from './chain.local-chain.ts';
import { aMoment, eventually } from './feature.ts';

// The real bounds need thousands of blocks; what happens at them does not depend on their size.
const bounds = limits as { chainWindowBlocksMax: number; chainLogRangeBlocksMax: number };
const real = { ...bounds };
let local: LocalChain;
let errors: unknown[];

beforeEach(async () => {
  bounds.chainWindowBlocksMax = 4;
  bounds.chainLogRangeBlocksMax = 3;
  errors = [];
  local = await startLocalChain({ onError: (error) => errors.push(error) });
});
afterEach(async () => {
  Object.assign(bounds, real);
  await local.close();
});

async function deposits(count: number, name: string): Promise<Hex[]> {
  const session = await openSession(local, name);
  const sent: Hex[] = [];
  for (let index = 0; index < count; index += 1) {
    const call = { call: 'deposit', session, amountWei: cor(1) } as const;
    sent.push((await local.chain.send(cast.client, call, effect(`deposit-${name}-${index}`))).txHash);
  }
  return sent;
}

test('a follower that starts below what is remembered reads the rest from the chain', async () => {
  const first = listen(local.chain);
  const sent = await deposits(10, 'many');
  await heardOf(first, sent.at(-1) ?? '0x', local.patienceMs);
  const late = listen(local.chain);
  await heardOf(late, sent.at(-1) ?? '0x', local.patienceMs);
  expect(late.facts).toEqual(first.facts);
  // And the other way: from a cursor long ago, after a restart.
  const [cursor] = [{ ...first.cursor, block: first.facts[3]?.place.block ?? 0, recent: [] }];
  const resumed = listen(await local.reopen(), cursor);
  await heardOf(resumed, sent.at(-1) ?? '0x', local.patienceMs);
  expect(resumed.facts).toEqual(first.facts.slice(4));
});

test('a reorg deeper than what is remembered stops the followers and is said, rather than missed', async () => {
  const heard = listen(local.chain);
  const sent = await deposits(10, 'deep');
  await heardOf(heard, sent.at(-1) ?? '0x', local.patienceMs);
  const told = heard.facts.length;
  await rpc(local.anvil.url, 'anvil_reorg', [10, []]);
  await eventually('the outage', () => heard.outages.length > 0, local.patienceMs);
  // Blocks that come after it do not pass for an answer.
  for (let block = 0; block < 3; block += 1) {
    await rpc(local.anvil.url, 'evm_mine', []);
    await aMoment(300);
  }
  expect([heard.outages, heard.removed.length, heard.facts.length]).toEqual([['down'], 0, told]);
});

test('a cursor of blocks that the chain never had is refused, and nothing is told', async () => {
  const { number } = await local.chain.block();
  const nowhere = { number: number - 1, hash: `0x${'99'.repeat(32)}` as const };
  const heard = listen(local.chain, { block: number, reorg: 0, recent: [nowhere] });
  await eventually('the refusal', () => heard.outages.length > 0, local.patienceMs);
  expect(heard.facts).toEqual([]);
  expect(errors).toMatchObject([{ code: 'chain_cursor_lost', class: 'corrupt' }]);
});

test('a cursor whose newest facts the chain does not have, and no reorg has removed, is refused', async () => {
  const first = listen(local.chain);
  const sent = await deposits(2, 'older');
  await heardOf(first, sent.at(-1) ?? '0x', local.patienceMs);
  const { block, recent } = first.cursor!;
  // As after a chain was put back to what it was some time ago, together with what is remembered of it.
  const lost = { number: block + 5, hash: `0x${'77'.repeat(32)}` as const };
  const heard = listen(local.chain, { block: block + 5, reorg: 0, recent: [...recent, lost] });
  await eventually('the refusal', () => heard.outages.length > 0, local.patienceMs);
  expect([heard.story, errors]).toMatchObject([['down'], [{ code: 'chain_cursor_lost', class: 'corrupt' }]]);
});

test('a cursor whose newest block has no facts goes on where the chain has another one in its place', async () => {
  const first = listen(local.chain);
  const [sent] = await deposits(1, 'bare');
  await heardOf(first, sent ?? '0x', local.patienceMs);
  const { block, recent } = first.cursor!;
  const bare = { number: block + 5, hash: `0x${'77'.repeat(32)}` as const, bare: true as const };
  const heard = listen(local.chain, { block: block + 5, reorg: 0, recent: [...recent, bare] });
  const [next] = await deposits(1, 'next');
  await heardOf(heard, next ?? '0x', local.patienceMs);
  expect(heard.story).toEqual(['+SessionOpened', '+SessionDeposited', '+SessionDeposited']);
});

test('a cursor whose reorgs are forgotten goes on where its newest block is on the chain', async () => {
  const first = listen(local.chain);
  const [sent] = await deposits(1, 'forgotten');
  await heardOf(first, sent ?? '0x', local.patienceMs);
  const heard = listen(local.chain, { block: 0, recent: [], ...first.cursor, reorg: 7 });
  const [next] = await deposits(1, 'next');
  await heardOf(heard, next ?? '0x', local.patienceMs);
  expect(heard.story).toEqual(['+SessionOpened', '+SessionDeposited', '+SessionDeposited']);
  expect(heard.cursor?.reorg).toBe(0);
});

test('a cursor whose reorgs are forgotten and that knows no block is refused', async () => {
  const heard = listen(local.chain, { block: 20, reorg: 7, recent: [] });
  await eventually('the refusal', () => heard.outages.length > 0, local.patienceMs);
  expect(errors).toMatchObject([{ code: 'chain_cursor_lost' }]);
});

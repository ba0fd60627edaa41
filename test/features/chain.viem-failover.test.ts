import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Hex } from '../../src/core/hash.ts';
import { startAnvil } from '../../src/adapters/chain/anvil-process.ts';
import { openChainStore } from '../../src/adapters/chain/chain-store.ts';
import { wei } from '../../src/core/wei.ts';
import type { SessionId } from '../../src/core/ids.ts';
import type { Chain, ChainReceipt, Deployment } from '../../src/ports/chain.ts';
import { cor, effect, heardOf, listen, openSession } from './chain.harness.ts';
import { cast, rpc } from './chain.local-chain.ts';
import {
  blocksOf,
  headOf,
  makesBlocks,
  mine,
  receive,
  type ReplicaPair,
  replicate,
  startReplicaPair,
} from './chain.replicas.ts';
import { aMoment, eventually } from './feature.ts';
import { pouwError, textWith } from './pouw-error.ts';
import type { Fate } from './rpc-proxy.ts';
import { scratchDirectory } from './scratch-directory.ts';

const patienceMs = 10_000;
let pair: ReplicaPair;
beforeEach(async () => {
  pair = await startReplicaPair();
});
afterEach(() => pair.close());

const dead = (): Fate => 'lose-request';
const alive = (): Fate => 'pass';

function deposit(chain: Chain, session: SessionId, name: string): Promise<ChainReceipt> {
  return chain.send(cast.client, { call: 'deposit', session, amountWei: cor(1) }, effect(name));
}

/** A chain with a session and a follower, and the second node up to date. */
async function onBoth() {
  const chain = await pair.open();
  const session = await openSession({ chain, cast }, 'both');
  const heard = listen(chain);
  const { txHash } = await deposit(chain, session, 'before');
  await heardOf(heard, txHash, patienceMs);
  await replicate(pair.first, pair.second);
  return { chain, session, heard };
}

/** What questions about state and history a node was asked; whoever looks whether it is well asks none of them. */
function served(methods: readonly string[]): string[] {
  return methods.filter((method) => ['eth_call', 'eth_getLogs', 'eth_sendRawTransactionSync'].includes(method));
}

describe('two endpoints of one chain', () => {
  test('when the first one is killed the second takes over at once, and nobody hears of it', async () => {
    const { chain, session, heard } = await onBoth();
    await makesBlocks(pair.second);
    pair.first.anvil.child.kill('SIGKILL');
    await pair.first.anvil.exited;
    const { txHash } = await deposit(chain, session, 'after');
    await heardOf(heard, txHash, patienceMs);
    expect(heard.outages).toEqual([]);
    expect(heard.removed).toEqual([]);
    expect(heard.facts.filter(({ type }) => type === 'SessionDeposited').map(({ place }) => place.txHash)).toEqual([
      ...new Set(heard.facts.filter(({ type }) => type === 'SessionDeposited').map(({ place }) => place.txHash)),
    ]);
    expect(pair.changes).toEqual([
      { from: pair.first.proxy.url, to: pair.second.proxy.url, reason: 'the one before does not answer' },
    ]);
    expect((await chain.money()).depositedWei).toBe((await (await pair.open()).money()).depositedWei);
  });

  test('the second one is not asked while it lacks a block that was seen: time never goes back', async () => {
    const { chain, session, heard } = await onBoth();
    const sent: Hex[] = [];
    for (let index = 0; index < 3; index += 1) sent.push((await deposit(chain, session, `lead-${index}`)).txHash);
    await heardOf(heard, sent[2] ?? '0x', patienceMs);
    const [behind, head] = [await headOf(pair.second), await headOf(pair.first)];
    expect(head - behind).toBe(3);
    const missing = await blocksOf(pair.first, behind, head);
    const before = heard.cursor;
    pair.first.proxy.decide = dead;
    await eventually('the outage', () => heard.outages.length === 1, patienceMs);
    await receive(pair.second, missing.slice(0, 3));
    await aMoment(300);
    expect(await headOf(pair.second)).toBe(head - 1);
    expect([heard.removed, heard.cursor, pair.changes]).toEqual([[], before, []]);
    expect(served(pair.second.proxy.forwarded)).toEqual([]);
    await receive(pair.second, missing.slice(2));
    await makesBlocks(pair.second);
    const { txHash } = await deposit(chain, session, 'caught-up');
    await heardOf(heard, txHash, patienceMs);
    expect([heard.outages, heard.removed]).toEqual([['down', 'up'], []]);
  });

  test('the first one is gone back to when it is well again and has caught up, not before', async () => {
    const { chain, session, heard } = await onBoth();
    await makesBlocks(pair.second);
    pair.first.proxy.decide = dead;
    for (const name of ['away-1', 'away-2']) await deposit(chain, session, name);
    pair.first.proxy.forwarded.length = 0;
    pair.first.proxy.decide = alive;
    await eventually('a look', () => pair.first.proxy.forwarded.length > 3, patienceMs);
    await deposit(chain, session, 'away-3');
    expect(served(pair.first.proxy.forwarded)).toEqual([]);
    expect(pair.changes).toHaveLength(1);
    await replicate(pair.second, pair.first);
    await makesBlocks(pair.first);
    await eventually('the way back', () => pair.changes.length === 2, patienceMs);
    expect(pair.changes[1]).toEqual({
      from: pair.second.proxy.url,
      to: pair.first.proxy.url,
      reason: 'it is well again',
    });
    const { txHash } = await deposit(chain, session, 'back');
    await heardOf(heard, txHash, patienceMs);
    expect(await rpc(pair.first.anvil.url, 'eth_getTransactionReceipt', [txHash])).toMatchObject({ status: '0x1' });
    expect(heard.removed).toEqual([]);
  });

  test('a transaction that the first one took with it into the dark is sent to the second, once', async () => {
    const { chain, session, heard } = await onBoth();
    await makesBlocks(pair.second);
    const count = Number(await rpc(pair.second.anvil.url, 'eth_getTransactionCount', [cast.client, 'latest']));
    // It is mined there, and nobody ever hears of it again.
    pair.first.proxy.decide = (method) => {
      if (pair.first.proxy.forwarded.at(-1) === 'eth_sendRawTransactionSync') return 'lose-request';
      return method === 'eth_sendRawTransactionSync' ? 'lose-answer' : 'pass';
    };
    const [one, two] = await Promise.all([deposit(chain, session, 'dark-1'), deposit(chain, session, 'dark-2')]);
    await heardOf(heard, two.txHash, patienceMs);
    const onFirst = await rpc(pair.first.anvil.url, 'eth_getTransactionReceipt', [one.txHash]);
    expect(onFirst).toMatchObject({ transactionHash: one.txHash });
    const after = Number(await rpc(pair.second.anvil.url, 'eth_getTransactionCount', [cast.client, 'latest']));
    expect(after).toBe(count + 2);
    expect(await deposit(chain, session, 'dark-1')).toEqual(one);
    // The first one comes back with a block of its own in the place of a later one: it is not gone back to.
    pair.first.proxy.decide = alive;
    await mine(pair.first, 3);
    await aMoment(500);
    expect(pair.changes).toHaveLength(1);
    expect(heard.removed).toEqual([]);
  });

  test('no read is of an older block than one before, however often the endpoint changes', async () => {
    const { chain, session } = await onBoth();
    const store = openChainStore(':memory:');
    const writer = await pair.open({ rpcUrl: pair.first.anvil.url, store });
    const seen: bigint[] = [];
    const stop = new AbortController();
    const reading = (async () => {
      while (!stop.signal.aborted) seen.push(BigInt((await chain.money()).depositedWei));
    })();
    for (let round = 0; round < 16; round += 1) {
      await deposit(writer, session, `round-${round}`);
      // The second one is a block behind when the first one fails, and the first one's failure ends before it has caught up.
      pair.first.proxy.decide = (method) => (round % 2 === 0 && method === 'eth_call' ? 'lose-request' : 'pass');
      await aMoment(60);
      await replicate(pair.first, pair.second);
      await aMoment(60);
    }
    stop.abort();
    await reading;
    await writer.close();
    store.close();
    expect(seen).toEqual(seen.toSorted((a, b) => Number(a - b)));
    expect(new Set(seen).size).toBeGreaterThan(8);
    expect(pair.changes.length).toBeGreaterThan(4);
  });

  test('one that hangs is left like one that is gone', async () => {
    const { session } = await onBoth();
    await makesBlocks(pair.second);
    const chain = await pair.open({ timeoutMs: 300 });
    process.kill(pair.first.anvil.child.pid ?? 0, 'SIGSTOP');
    try {
      await deposit(chain, session, 'hanging');
    } finally {
      process.kill(pair.first.anvil.child.pid ?? 0, 'SIGCONT');
    }
    expect(pair.changes.map(({ to }) => to)).toContain(pair.second.proxy.url);
  });

  test('a question that takes too long is asked again where it was, as long as the node answers others', async () => {
    await onBoth();
    const chain = await pair.open({ timeoutMs: 200 });
    pair.first.proxy.decide = (method) => (method === 'eth_call' ? 'hold' : 'pass');
    const asking = chain.money();
    await aMoment(900);
    expect([pair.changes, served(pair.second.proxy.forwarded)]).toEqual([[], []]);
    pair.first.proxy.decide = alive;
    expect(BigInt((await asking).depositedWei)).toBeGreaterThan(0n);
  });

  test('one that answers and makes no progress is left for one that does', async () => {
    const { chain, session, heard } = await onBoth();
    await makesBlocks(pair.second);
    await mine(pair.second, 12);
    await eventually('the move', () => pair.changes.length === 1, patienceMs);
    expect(pair.changes[0]?.reason).toBe('the one before is 12 blocks behind');
    const { txHash } = await deposit(chain, session, 'ahead');
    await heardOf(heard, txHash, patienceMs);
    expect(heard.removed).toEqual([]);
  });
});

describe('a process that starts', () => {
  test('goes by what it has reported before: the first node that answers may lag', async () => {
    const { session, heard } = await onBoth();
    await pair.closeChains();
    await makesBlocks(pair.second);
    const late = await pair.open({ rpcUrl: [pair.second.proxy.url] });
    const after = listen(late, heard.cursor);
    const { txHash } = await deposit(late, session, 'on-the-second');
    await heardOf(after, txHash, patienceMs);
    await pair.closeChains();
    pair.first.proxy.forwarded.length = 0;
    const chain = await pair.open();
    const resumed = listen(chain, after.cursor);
    const next = await deposit(chain, session, 'next');
    await heardOf(resumed, next.txHash, patienceMs);
    expect(resumed.story).toEqual(['+SessionDeposited']);
    expect(pair.changes.at(-1)?.to).toBe(pair.second.proxy.url);
  });

  test('goes on with the newest block there is where what was seen does not come again', async () => {
    const { chain, session, heard } = await onBoth();
    const { txHash } = await deposit(chain, session, 'lost');
    await heardOf(heard, txHash, patienceMs);
    await pair.closeChains();
    pair.first.anvil.child.kill('SIGKILL');
    await makesBlocks(pair.second);
    const again = await pair.open({ endpoints: { behindMs: 600 } });
    const resumed = listen(again, heard.cursor);
    await eventually('the deposit taken back', () => resumed.removed.length > 0, patienceMs);
    expect(resumed.removed).toMatchObject([{ type: 'SessionDeposited', place: { txHash } }]);
    await eventually('the deposit again', () => resumed.facts.length > 0, patienceMs);
    expect(resumed.facts).toMatchObject([{ type: 'SessionDeposited', place: { txHash } }]);
    expect(
      await again.send(cast.client, { call: 'transfer', to: cast.oracle, amountWei: wei(1) }, effect('on')),
    ).toMatchObject({
      facts: [],
    });
  });

  test('is refused where it names more endpoints than it may', async () => {
    const rpcUrl = Array.from({ length: 9 }, () => pair.first.proxy.url);
    await expect(pair.open({ rpcUrl })).rejects.toEqual(pouwError('too_many_endpoints', { class: 'invalid' }));
  });
});

describe('an endpoint of another chain', () => {
  test('is refused at the start', async () => {
    const elsewhere = scratchDirectory();
    const anvil = await startAnvil({ directory: elsewhere.path });
    try {
      await expect(pair.open({ rpcUrl: [pair.first.proxy.url, anvil.url] })).rejects.toEqual(
        pouwError('wrong_chain', { class: 'invalid', message: textWith(anvil.url) }),
      );
    } finally {
      await anvil.stop();
      elsewhere.remove();
    }
  });

  /** The two nodes part ways at a block; contracts that were deployed in it are on one of them only. */
  async function deployedAfterTheFork(): Promise<Deployment> {
    await mine(pair.first, 1);
    await rpc(pair.second.anvil.url, 'evm_increaseTime', [100]);
    await mine(pair.second, 5);
    return { ...pair.deployment, fromBlock: await headOf(pair.first) };
  }

  test('is refused by the block of the deployment too, where the first blocks are the same', async () => {
    const deployment = await deployedAfterTheFork();
    const blockOne = (of: string) => rpc(of, 'eth_getBlockByNumber', ['0x1', false]);
    expect(await blockOne(pair.second.anvil.url)).toEqual(await blockOne(pair.first.anvil.url));
    await expect(pair.open({ deployment })).rejects.toEqual(pouwError('wrong_chain', { class: 'invalid' }));
  });

  test('that is silent at the start is not used when it answers, and that is said once', async () => {
    const deployment = await deployedAfterTheFork();
    pair.second.proxy.decide = dead;
    const chain = await pair.open({ deployment, retryMs: 300 });
    pair.second.proxy.decide = alive;
    pair.first.proxy.decide = dead;
    for (let round = 0; round < 3; round += 1)
      await expect(chain.money()).rejects.toEqual(pouwError('chain_unreachable', { class: 'unavailable' }));
    expect(pair.errors).toMatchObject([{ code: 'wrong_chain' }]);
    expect([pair.changes, served(pair.second.proxy.forwarded)]).toEqual([[], []]);
  });
});

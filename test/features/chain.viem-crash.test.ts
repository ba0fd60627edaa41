import { copyFileSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { anvilStateFile } from '../../src/adapters/chain/anvil-spawn.ts';
import { openChainStore } from '../../src/adapters/chain/chain-store.ts';
import type { BlockRef } from '../../src/adapters/chain/block-window.ts';
import { PouwError } from '../../src/core/errors.ts';
import type { Hex } from '../../src/core/hash.ts';
import { limits } from '../../src/core/limits.ts';
import { wei } from '../../src/core/wei.ts';
import type { Chain } from '../../src/ports/chain.ts';
import { cor, effect, heardOf, listen, openSession } from './chain.harness.ts';
import { cast, type LocalChain, rpc, startLocalChain } from './chain.local-chain.ts';
import { aMoment, eventually, gate } from './feature.ts';
import { pouwError } from './pouw-error.ts';
import { type Fate, type RpcProxy, startRpcProxy } from './rpc-proxy.ts';

let local: LocalChain;
let proxy: RpcProxy;
beforeEach(async () => {
  local = await startLocalChain();
  proxy = await startRpcProxy(local.anvil.url);
});
afterEach(async () => {
  await local.close();
  await proxy.close();
});

const oneWei = { call: 'transfer', to: cast.oracle, amountWei: wei(1) } as const;

/** How many transactions the client has on chain. */
async function nonce(): Promise<number> {
  return Number(await rpc(local.anvil.url, 'eth_getTransactionCount', [cast.client, 'latest']));
}

/** A chain that reaches its node through the proxy and soon gives up. */
function fragile(): Promise<Chain> {
  return local.open({ rpcUrl: proxy.url, retryMs: 150, patienceMs: 1_000 });
}

/** Such is the fate of a signed transaction; and of all that comes after one that arrived. */
function losing(fate: Fate): (method: string) => Fate {
  const isRaw = (method: string): boolean => method.startsWith('eth_sendRawTransaction');
  return (method) => {
    if (isRaw(method)) return fate;
    return fate === 'lose-answer' && proxy.forwarded.some(isRaw) ? 'lose-request' : 'pass';
  };
}

describe('a sender that crashes', () => {
  test.each([
    ['after writing the transaction down and before broadcasting it', 'lose-request'],
    ['after broadcasting the transaction and before hearing of it', 'lose-answer'],
  ] as const)('%s sends it once', async (_name, fate) => {
    const [before, balance] = [await nonce(), await local.chain.corBalance(cast.oracle)];
    const broken = await fragile();
    proxy.decide = losing(fate);
    const sending = broken.send(cast.client, oneWei, effect('crash'));
    await expect(sending).rejects.toEqual(pouwError('chain_unreachable', { class: 'unavailable' }));
    const again = await local.reopen();
    const receipt = await again.send(cast.client, oneWei, effect('crash'));
    expect(await again.send(cast.client, oneWei, effect('crash'))).toEqual(receipt);
    expect(await nonce()).toBe(before + 1);
    expect(BigInt(await again.corBalance(cast.oracle)) - BigInt(balance)).toBe(1n);
  });

  test('sends what it had written down before anything else', async () => {
    const before = await nonce();
    proxy.decide = losing('lose-request');
    const broken = await fragile();
    await expect(broken.send(cast.client, oneWei, effect('first'))).rejects.toEqual(pouwError('chain_unreachable'));
    const next = await (await local.reopen()).send(cast.client, oneWei, effect('second'));
    const first = await local.chain.send(cast.client, oneWei, effect('first'));
    expect(first.block).toBeLessThan(next.block);
    expect(await nonce()).toBe(before + 2);
  });

  test('and loses its journal finds the effect on chain', async () => {
    const receipt = await local.chain.send(cast.client, oneWei, effect('found'));
    const before = await nonce();
    const store = openChainStore(':memory:');
    const forgetful = await local.open({ store });
    expect(await forgetful.send(cast.client, oneWei, effect('found'))).toEqual(receipt);
    expect(await nonce()).toBe(before);
    await forgetful.send(cast.client, oneWei, effect('new'));
    expect(await nonce()).toBe(before + 1);
  });
});

describe('a sender', () => {
  test('does without eth_sendRawTransactionSync where the node has none', async () => {
    const unknown = { answer: { error: { code: -32_601, message: 'the method does not exist' } } } as const;
    proxy.decide = (method) => (method === 'eth_sendRawTransactionSync' ? unknown : 'pass');
    const chain = await local.open({ rpcUrl: proxy.url });
    await chain.send(cast.client, oneWei, effect('plain'));
    expect(proxy.forwarded).toContain('eth_sendRawTransaction');
  });

  test('uses the nonce again when the node refused its transaction', async () => {
    const before = await nonce();
    proxy.decide = losing({ answer: { error: { code: -32_000, message: 'intrinsic gas too low' } } });
    const chain = await local.open({ rpcUrl: proxy.url });
    await expect(chain.send(cast.client, oneWei, effect('refused'))).rejects.toEqual(
      pouwError('chain_refused', { why: 'intrinsic gas too low' }),
    );
    proxy.decide = () => 'pass';
    await chain.send(cast.client, oneWei, effect('refused'));
    expect(await nonce()).toBe(before + 1);
  });

  test('makes its transaction anew when another process used the nonce', async () => {
    await local.chain.send(cast.client, oneWei, effect('warm'));
    const other = await local.open({ store: openChainStore(':memory:') });
    await other.send(cast.client, oneWei, effect('other'));
    const before = await nonce();
    await local.chain.send(cast.client, oneWei, effect('late'));
    expect(await nonce()).toBe(before + 1);
  });

  test('tells a revert that only the block brought, with its reason, and uses the effect again', async () => {
    const session = await openSession(local, 'race');
    const close = { call: 'closeSession', session } as const;
    await local.chain.send(cast.client, close, effect('close-1'));
    // The node's estimate says that all is well: as if somebody else had closed the session a moment later.
    proxy.decide = (method) => (method === 'eth_estimateGas' ? { answer: { result: '0x30000' } } : 'pass');
    const chain = await local.open({ rpcUrl: proxy.url });
    const before = await nonce();
    await expect(chain.send(cast.client, close, effect('close-2'))).rejects.toEqual(
      pouwError('chain_reverted', { details: expect.objectContaining({ reason: 'SessionNotOpen' }) as unknown }),
    );
    await expect(chain.send(cast.client, close, effect('close-2'))).rejects.toEqual(pouwError('chain_reverted'));
    expect(await nonce()).toBe(before + 2);
  });

  test('refuses more than its queue holds', async () => {
    proxy.decide = (method) => (method === 'eth_estimateGas' ? 'lose-request' : 'pass');
    const chain = await local.open({ rpcUrl: proxy.url, retryMs: 500 });
    const waiting = Array.from({ length: limits.chainSenderQueueMax }, (_, index) =>
      chain.send(cast.client, oneWei, effect(`q-${index}`)).catch((error: unknown) => error),
    );
    await expect(chain.send(cast.client, oneWei, effect('too-many'))).rejects.toEqual(
      pouwError('chain_busy', { class: 'busy' }),
    );
    proxy.decide = () => 'pass';
    await local.chain.close();
    expect(waiting).toHaveLength(limits.chainSenderQueueMax);
  });
});

describe('a local chain that was killed', () => {
  test('gets back the transactions it lost, of all accounts, in their order', async () => {
    const state = anvilStateFile(local.directory);
    const session = await openSession(local, 'lost');
    await local.anvil.save();
    copyFileSync(state, `${state}.kept`);
    const heard = listen(local.chain);
    // The oracle's deposit needs the approval before it, which needs the client's transfer.
    const steps = [
      [cast.client, { call: 'transfer', to: cast.oracle, amountWei: cor(2) }],
      [cast.oracle, { call: 'approve', spender: 'sessions', amountWei: cor(10_002) }],
      [cast.oracle, { call: 'deposit', session, amountWei: cor(10_002 - 200) }],
    ] as const;
    const sent: Hex[] = [];
    for (const [from, call] of steps) sent.push((await local.chain.send(from, call, effect(call.call))).txHash);
    await heardOf(heard, sent[2] ?? '0x', local.patienceMs);
    const told = heard.facts.at(-1);
    await local.chain.close();
    process.kill(local.anvil.pid, 'SIGKILL');
    await local.anvil.exited;
    copyFileSync(`${state}.kept`, state);
    rmSync(`${local.directory}/anvil.json`);
    // Within the same second anvil would make the very same blocks of the same transactions.
    await aMoment(1_100);
    await local.startNode();
    await (await local.reopen()).send(cast.router, { call: 'setActive', active: true }, effect('wake'));
    for (const hash of sent) {
      expect(await rpc(local.anvil.url, 'eth_getTransactionReceipt', [hash])).toMatchObject({ status: '0x1' });
    }
    const after = listen(local.chain, heard.cursor);
    await eventually('the deposit again', () => after.facts.length > 0, local.patienceMs);
    expect(after.removed).toEqual([told]);
    expect(after.facts.filter(({ type }) => type === 'SessionDeposited')).toMatchObject([
      { place: { txHash: sent[2] } },
    ]);
  });

  test('has lost nothing of what it was told', async () => {
    const keep = (block: BlockRef): Promise<void> => local.anvil.keep(block);
    const chain = await local.open({ keep });
    const heard = listen(chain);
    const session = await openSession({ chain, cast }, 'kept');
    const { txHash } = await chain.send(cast.client, { call: 'deposit', session, amountWei: cor(1) }, effect('kept'));
    const { hash, number } = await chain.waitForBlock((await chain.block()).number + 1);
    await heardOf(heard, txHash, local.patienceMs);
    await chain.close();
    process.kill(local.anvil.pid, 'SIGKILL');
    await local.anvil.exited;
    await local.startNode();
    const after = listen(await local.open({ keep }), heard.cursor);
    expect((await local.chain.block(number)).hash).toBe(hash);
    const again = await local.chain.send(cast.client, oneWei, effect('after'));
    expect(again.block).toBeGreaterThan(number);
    await aMoment(500);
    expect(after.story).toEqual([]);
  });

  test('heals while the network runs, when blocks are rolled back', async () => {
    const heard = listen(local.chain);
    const session = await openSession(local, 'rolled');
    const call = { call: 'deposit', session, amountWei: cor(1) } as const;
    const { txHash } = await local.chain.send(cast.client, call, effect('rolled'));
    await heardOf(heard, txHash, local.patienceMs);
    await rpc(local.anvil.url, 'anvil_rollback', [1]);
    await eventually('the removal', () => heard.story.includes('-SessionDeposited'), local.patienceMs);
    const again = (): boolean => heard.facts.filter(({ place }) => place.txHash === txHash).length === 2;
    await eventually('the deposit again', again, local.patienceMs);
    expect(heard.story.slice(-3)).toEqual(['+SessionDeposited', '-SessionDeposited', '+SessionDeposited']);
  });
});

describe('a chain of our own', () => {
  test('tells nothing of a block before it is on the disk', async () => {
    const disk = gate();
    const chain = await local.open({ keep: async () => void (await disk.opened) });
    const heard = listen(chain);
    const told: string[] = [];
    const sending = chain.send(cast.client, oneWei, effect('unkept')).then(() => told.push('receipt'));
    const newest = Number(await rpc(local.anvil.url, 'eth_blockNumber'));
    const waiting = chain.waitForBlock(newest + 1).then(() => told.push('block waited for'));
    const reading = chain.block().then(() => told.push('block'));
    await aMoment(600);
    expect([...told, ...heard.story]).toEqual([]);
    disk.open();
    await Promise.all([sending, waiting, reading]);
    await eventually('the facts', () => heard.story.length > 0, local.patienceMs);
  });

  test('whose blocks cannot be kept is an outage, and nothing is missed when they can', async () => {
    let isFull = true;
    const keep = async (): Promise<void> => {
      if (isFull) throw new PouwError('chain_state_unsaved', 'The disk is full.', { class: 'unavailable' });
    };
    const chain = await local.open({ keep });
    const heard = listen(chain);
    await eventually('the outage', () => heard.outages.includes('down'), local.patienceMs);
    await expect(chain.send(cast.client, oneWei, effect('full'))).rejects.toEqual(pouwError('chain_state_unsaved'));
    isFull = false;
    const { txHash } = await chain.send(cast.client, oneWei, effect('full'));
    await eventually('the facts', () => heard.facts.length > 0, local.patienceMs);
    expect(heard.facts.filter(({ type }) => type === 'NodeRegistered')).toHaveLength(8);
    expect(await rpc(local.anvil.url, 'eth_getTransactionReceipt', [txHash])).toMatchObject({ status: '0x1' });
  });
});

describe('a hanging node', () => {
  test('is an outage like any other', async () => {
    const chain = await local.open({ timeoutMs: 200 });
    const heard = listen(chain);
    await eventually('the first facts', () => heard.facts.length > 0, local.patienceMs);
    process.kill(local.anvil.pid, 'SIGSTOP');
    try {
      await eventually('the outage', () => heard.outages.length === 1, local.patienceMs);
      const sending = chain.send(cast.client, oneWei, effect('hanging'));
      process.kill(local.anvil.pid, 'SIGCONT');
      expect((await sending).block).toBeGreaterThan(0);
      await eventually('the end', () => heard.outages.length === 2, local.patienceMs);
    } finally {
      process.kill(local.anvil.pid, 'SIGCONT');
    }
  });
});

test('a chain is not opened on a node of another chain, on lost contracts, or with no key', async () => {
  const wrong = { ...local.deployment, chainId: 1 };
  await expect(local.open({ deployment: wrong })).rejects.toEqual(pouwError('wrong_chain', { class: 'invalid' }));
  const lost = { ...local.deployment, queue: cast.oracle };
  await expect(local.open({ deployment: lost })).rejects.toEqual(pouwError('contracts_missing'));
  const accounts = new Map([[cast.client, '0x1234' as const]]);
  await expect(local.open({ accounts })).rejects.toEqual(pouwError('invalid_key'));
  await expect(local.open({ rpcUrl: 'http://127.0.0.1:1', retryMs: 0 })).rejects.toEqual(
    pouwError('chain_unreachable'),
  );
});

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseTransaction } from 'viem';
import { openChainStore } from '../../src/adapters/chain/chain-store.ts';
import { effectKey } from '../../src/adapters/chain/sender.ts';
import type { JournalTx } from '../../src/adapters/chain/tx-journal.ts';
import type { Hex } from '../../src/core/hash.ts';
import { limits } from '../../src/core/limits.ts';
import { wei } from '../../src/core/wei.ts';
import type { Chain } from '../../src/ports/chain.ts';
import { cor, effect, openSession } from './chain.harness.ts';
import { cast, type LocalChain, rpc, startLocalChain } from './chain.local-chain.ts';
import { eventually } from './feature.ts';
import { pouwError, textWith } from './pouw-error.ts';
import { startRpcProxy } from './rpc-proxy.ts';

const gwei = 1_000_000_000n;
const oneWei = { call: 'transfer', to: cast.oracle, amountWei: wei(1) } as const;
let local: LocalChain;

beforeEach(async () => {
  // The time-out ends the wait of eth_sendRawTransactionSync for a block that does not come.
  local = await startLocalChain({ bumpAfterMs: 300, patienceMs: 15_000, timeoutMs: 400 });
});
afterEach(() => local.close());

const ask = (method: string, ...params: unknown[]): Promise<unknown> => rpc(local.anvil.url, method, params);

/** Has the chain take transactions and put none into a block. */
async function holdBlocks(): Promise<void> {
  await ask('evm_setAutomine', false);
}

/** Makes blocks whose base fee is so high that older offers do not pay it. */
async function raiseBaseFee(to: bigint): Promise<void> {
  await ask('anvil_setNextBlockBaseFeePerGas', `0x${to.toString(16)}`);
  await ask('evm_mine');
}

async function balance(chain: Chain): Promise<bigint> {
  return BigInt(await chain.corBalance(cast.oracle));
}

async function nonce(): Promise<number> {
  return Number(await ask('eth_getTransactionCount', cast.client, 'latest'));
}

/** The client's transaction of an effect as the journal has it. */
async function journalled(name: string): Promise<JournalTx | undefined> {
  const first = (await ask('eth_getBlockByNumber', '0x1', false)) as { readonly hash: Hex };
  return local.store.journal.find(first.hash, cast.client, effectKey(effect(name)));
}

async function untilPooled(name: string): Promise<JournalTx> {
  let found: JournalTx | undefined;
  let isPooled = false;
  await eventually(
    'the transaction in the pool',
    () => {
      void journalled(name).then(async (tx) => {
        found = tx;
        isPooled = tx !== undefined && (await ask('eth_getTransactionByHash', tx.hash)) !== null;
      });
      return isPooled;
    },
    local.patienceMs,
  );
  if (found === undefined) throw new Error('it is not in the journal');
  return found;
}

describe('a transaction whose fee is too low by now', () => {
  test('is replaced under its nonce by one that pays, and carries its effect out once', async () => {
    const { chain } = local;
    await chain.send(cast.client, oneWei, effect('warm'));
    const [before, count] = [await balance(chain), await nonce()];
    await holdBlocks();
    const sending = chain.send(cast.client, oneWei, effect('stuck'));
    const first = await untilPooled('stuck');
    await raiseBaseFee(40n * gwei);
    await ask('evm_setAutomine', true);
    const receipt = await sending;
    expect(receipt.txHash).not.toBe(first.hash);
    const kept = await journalled('stuck');
    expect(kept?.nonce).toBe(first.nonce);
    expect(kept?.earlier[0]).toBe(first.hash);
    const [old, paid] = [parseTransaction(first.raw), parseTransaction(kept?.raw ?? '0x')];
    expect((paid.maxFeePerGas ?? 0n) * 10n).toBeGreaterThanOrEqual((old.maxFeePerGas ?? 0n) * 11n);
    expect((paid.maxPriorityFeePerGas ?? 0n) * 10n).toBeGreaterThanOrEqual((old.maxPriorityFeePerGas ?? 0n) * 11n);
    expect([paid.to, paid.data, paid.gas]).toEqual([old.to, old.data, old.gas]);
    expect((await balance(chain)) - before).toBe(1n);
    expect(await nonce()).toBe(count + 1);
    expect(await chain.send(cast.client, oneWei, effect('stuck'))).toEqual(receipt);
    await chain.send(cast.client, oneWei, effect('next'));
    expect(await nonce()).toBe(count + 2);
  });

  test('is replaced by the next process too, where the first one was killed while it waited', async () => {
    const { chain } = local;
    await chain.send(cast.client, oneWei, effect('warm'));
    const [before, count] = [await balance(chain), await nonce()];
    await holdBlocks();
    const lost = chain.send(cast.client, oneWei, effect('killed')).catch((error: unknown) => error);
    const first = await untilPooled('killed');
    await raiseBaseFee(40n * gwei);
    await ask('evm_setAutomine', true);
    const again = await local.reopen();
    const receipt = await again.send(cast.client, oneWei, effect('killed'));
    await lost;
    expect((await journalled('killed'))?.earlier).toContain(first.hash);
    expect(await nonce()).toBe(count + 1);
    expect((await balance(again)) - before).toBe(1n);
    expect(await again.send(cast.client, oneWei, effect('killed'))).toEqual(receipt);
  });

  test('is found by the offer that was mined, also where that is not the newest one', async () => {
    const { chain } = local;
    await chain.send(cast.client, oneWei, effect('warm'));
    const count = await nonce();
    await holdBlocks();
    const sending = chain.send(cast.client, oneWei, effect('older'));
    const first = await untilPooled('older');
    // The journal has a newer offer, which no node has: as if the process had been killed before it was broadcast.
    const chainHash = ((await ask('eth_getBlockByNumber', '0x1', false)) as { readonly hash: Hex }).hash;
    await local.store.journal.replace(chainHash, first, { raw: '0x02', hash: `0x${'77'.repeat(32)}` });
    await ask('evm_mine');
    expect((await sending).txHash).toBe(first.hash);
    await ask('evm_setAutomine', true);
    const again = await local.reopen();
    expect((await again.send(cast.client, oneWei, effect('older'))).txHash).toBe(first.hash);
    expect(await nonce()).toBe(count + 1);
  });

  test('is offered no more than the cap, waits, and is mined when the fee has fallen', async () => {
    const chain = await local.open({ feeCapWei: 5n * gwei, bumpAfterMs: 100, patienceMs: 900 });
    const { number } = await chain.block();
    await chain.send(cast.client, oneWei, effect('warm'));
    await holdBlocks();
    const failing = chain.send(cast.client, oneWei, effect('capped')).catch((error: unknown) => error);
    await untilPooled('capped');
    await raiseBaseFee(40n * gwei);
    expect(await failing).toEqual(
      pouwError('chain_unreachable', { class: 'timeout', hint: textWith('--fee-cap-gwei') }),
    );
    const offered = await journalled('capped');
    expect(parseTransaction(offered?.raw ?? '0x').maxFeePerGas).toBeLessThanOrEqual(5n * gwei);
    const count = await nonce();
    await raiseBaseFee(gwei);
    await ask('evm_setAutomine', true);
    const receipt = await chain.send(cast.client, oneWei, effect('capped'));
    expect(receipt.block).toBeGreaterThan(number);
    expect([offered?.hash, ...(offered?.earlier ?? [])]).toContain(receipt.txHash);
    expect(await nonce()).toBe(count + 1);
  });

  test('is replaced a bounded number of times', async () => {
    // A node that says it has them and has none.
    const proxy = await startRpcProxy(local.anvil.url);
    proxy.decide = (method) => {
      if (method === 'eth_sendRawTransaction') return { answer: { result: `0x${'00'.repeat(32)}` } };
      return method === 'eth_sendRawTransactionSync' ? { answer: { error: { code: -32_601, message: '' } } } : 'pass';
    };
    const chain = await local.open({ rpcUrl: proxy.url, bumpAfterMs: 40, patienceMs: 2_500 });
    await expect(chain.send(cast.client, oneWei, effect('bounded'))).rejects.toEqual(
      pouwError('chain_unreachable', {
        class: 'timeout',
        details: expect.objectContaining({ replaced: limits.chainFeeBumpsMax }) as unknown,
      }),
    );
    const offered = await journalled('bounded');
    expect(offered?.earlier).toHaveLength(limits.chainFeeBumpsMax);
    expect(new Set([offered?.hash, ...(offered?.earlier ?? [])]).size).toBe(limits.chainFeeBumpsMax + 1);
    await proxy.close();
    expect((await (await local.reopen()).send(cast.client, oneWei, effect('bounded'))).txHash).toBe(offered?.hash);
  });
});

describe('a nonce that somebody else with the same key has used', () => {
  test('is noticed, and an effect that is on chain by then is found there and not sent again', async () => {
    const { chain } = local;
    await chain.send(cast.client, oneWei, effect('warm'));
    const other = await local.open({ store: openChainStore(':memory:') });
    const theirs = await other.send(cast.client, oneWei, effect('same'));
    const [before, count] = [await balance(chain), await nonce()];
    expect(await chain.send(cast.client, oneWei, effect('same'))).toEqual(theirs);
    expect([await balance(chain), await nonce()]).toEqual([before, count]);
    const session = await openSession(local, 'closed-elsewhere');
    const close = { call: 'closeSession', session } as const;
    const closed = await other.send(cast.client, close, effect('closed-elsewhere'));
    expect(await chain.send(cast.client, close, effect('closed-elsewhere'))).toEqual(closed);
  });

  test('while ours waits in the pool: it is made anew with the next one and applied once', async () => {
    const chain = await local.open({ bumpAfterMs: 60_000 });
    const session = await openSession(local, 'raced');
    const deposit = { call: 'deposit', session, amountWei: cor(1) } as const;
    const [before, count] = [await local.chain.money(), await nonce()];
    await holdBlocks();
    const ours = chain.send(cast.client, deposit, effect('ours'));
    await untilPooled('ours');
    await raiseBaseFee(40n * gwei);
    // The same key at a wallet elsewhere: a transaction of its own under the same nonce, for a higher fee.
    await ask('anvil_impersonateAccount', cast.client);
    const fees = { maxFeePerGas: '0x174876e800', maxPriorityFeePerGas: '0x174876e800', gas: '0x5208' };
    const elsewhere = { from: cast.client, to: cast.oracle, value: '0x1', nonce: `0x${count.toString(16)}`, ...fees };
    const hash = await ask('eth_sendTransaction', elsewhere);
    await ask('evm_mine');
    await ask('evm_setAutomine', true);
    expect(await ask('eth_getTransactionReceipt', hash)).toMatchObject({ status: '0x1' });
    await ours;
    expect(await nonce()).toBe(count + 2);
    const after = await local.chain.money();
    expect(BigInt(after.depositedWei) - BigInt(before.depositedWei)).toBe(BigInt(cor(1)));
    expect((await journalled('ours'))?.nonce).toBe(count + 1);
  });
});

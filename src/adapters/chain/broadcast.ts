import { setTimeout as sleep } from 'node:timers/promises';
import { formatTransactionReceipt, type TransactionReceipt } from 'viem';
import { PouwError } from '../../core/errors.ts';
import type { Address } from '../../core/ids.ts';
import { chainError, nodeAnswer, type RpcClient } from './rpc-client.ts';
import type { JournalTx } from './tx-journal.ts';

/** How a transaction is brought onto the chain. */
export interface BroadcastOptions {
  /** The longest time between two looks for the receipt, in milliseconds. */
  readonly pollMs: number;
  /** How long a transaction may wait to be mined, in milliseconds. */
  readonly patienceMs: number;
}

/** What came of handing a transaction to the node. */
type Submission = 'taken' | 'nonce-used' | TransactionReceipt;

/** A pool may forget a transaction, and a reorg may; then it is sent again. */
const rebroadcastMs = 2_000;
const firstPollMs = 2;

/**
 * Broadcasts a journalled transaction and waits until it is mined. Can be repeated at will: the bytes are
 * always the same.
 *
 * @returns its receipt; undefined where its nonce has gone to another transaction, so that it can never be mined.
 * @throws PouwError `chain_refused` where the node does not take it, `chain_unreachable` where the node cannot
 *   be reached or the transaction was not mined in time.
 */
export async function broadcast(
  client: RpcClient,
  tx: JournalTx,
  options: BroadcastOptions,
): Promise<TransactionReceipt | undefined> {
  const giveUpAt = performance.now() + options.patienceMs;
  let submitAt = performance.now();
  for (let waitMs = firstPollMs; ; waitMs = Math.min(waitMs * 2, options.pollMs)) {
    let nonceUsed = false;
    if (performance.now() >= submitAt) {
      const submission = await submit(client, tx);
      if (typeof submission === 'object') return submission;
      nonceUsed = submission === 'nonce-used';
      submitAt = performance.now() + rebroadcastMs;
    }
    const receipt = await receiptOf(client, tx.hash);
    if (receipt !== undefined) return receipt;
    // Asked for after the receipt: were it the other way round, it could be mined in between.
    if (nonceUsed && (await isDisplaced(client, tx))) return undefined;
    if (performance.now() > giveUpAt) throw notMined(tx, options.patienceMs);
    await sleep(Math.min(waitMs, options.pollMs));
  }
}

/** The receipt of a mined transaction. */
export async function receiptOf(client: RpcClient, hash: JournalTx['hash']): Promise<TransactionReceipt | undefined> {
  try {
    const receipt = await client.request({ method: 'eth_getTransactionReceipt', params: [hash] });
    return receipt === null ? undefined : formatTransactionReceipt(receipt);
  } catch (error) {
    throw chainError(error, 'a question for a receipt');
  }
}

/** How many transactions of an account are mined: the nonce of its next one. */
export async function minedCount(client: RpcClient, account: Address): Promise<number> {
  try {
    return await client.getTransactionCount({ address: account, blockTag: 'latest' });
  } catch (error) {
    throw chainError(error, 'a question for a nonce');
  }
}

async function isDisplaced(client: RpcClient, tx: JournalTx): Promise<boolean> {
  return (await minedCount(client, tx.account)) > tx.nonce && (await receiptOf(client, tx.hash)) === undefined;
}

/** Clients whose node has no eth_sendRawTransactionSync (EIP-7966), which saves a round trip. */
const withoutSync = new WeakSet<RpcClient>();

async function submit(client: RpcClient, tx: JournalTx): Promise<Submission> {
  try {
    if (withoutSync.has(client)) {
      await client.request({ method: 'eth_sendRawTransaction', params: [tx.raw] });
      return 'taken';
    }
    const receipt = await client.request({ method: 'eth_sendRawTransactionSync', params: [tx.raw] });
    return formatTransactionReceipt(receipt);
  } catch (error) {
    const answer = nodeAnswer(error);
    if (answer === undefined) throw chainError(error, 'a transaction');
    if (answer.code === -32_601 || answer.code === -32_004) {
      if (withoutSync.has(client)) throw refused(tx, answer.message, error);
      withoutSync.add(client);
      return submit(client, tx);
    }
    if (/nonce.{0,10}too low|old nonce/i.test(answer.message)) return 'nonce-used';
    if (isTaken(answer)) return 'taken';
    throw refused(tx, answer.message, error);
  }
}

/** EIP-7966 answers 4 where the block did not come in time; the rest is the many ways to say "I have it". */
function isTaken(answer: { readonly code: number; readonly message: string }): boolean {
  return (
    answer.code === 4 ||
    /already known|already imported|already exists|known transaction|replacement transaction underpriced/i.test(
      answer.message,
    )
  );
}

function refused(tx: JournalTx, why: string, cause: unknown): PouwError {
  const poor = /insufficient funds/i.test(why);
  return new PouwError('chain_refused', `The chain did not take a transaction of ${tx.account}.`, {
    class: 'unavailable',
    why,
    hint: poor
      ? `Give ${tx.account} some of the chain's own coin to pay for gas.`
      : 'See what the node says and try again.',
    details: { account: tx.account, nonce: tx.nonce, hash: tx.hash },
    cause,
  });
}

function notMined(tx: JournalTx, patienceMs: number): PouwError {
  return new PouwError('chain_unreachable', `Transaction ${tx.hash} was not mined within ${patienceMs / 1_000} s.`, {
    class: 'timeout',
    why: 'The chain makes no blocks, or the fee offered is too low by now.',
    hint: 'Nothing is lost: the same transaction is sent again when its effect is tried again.',
    details: { account: tx.account, nonce: tx.nonce, hash: tx.hash },
  });
}

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
  /** How long it waits under one offer before it is replaced by one with a higher fee, in milliseconds. */
  readonly bumpAfterMs: number;
}

/** Writes a replacement with a higher fee down; undefined where there is to be none. */
export type Bump = (tx: JournalTx) => Promise<JournalTx | undefined>;

/** What came of handing a transaction to the node; an error where it asks for a higher fee. */
type Submission = 'taken' | 'nonce-used' | PouwError | TransactionReceipt;

/** A pool may forget a transaction, and a reorg may; then it is sent again. */
const rebroadcastMs = 2_000;
const firstPollMs = 2;
/** A node may count a transaction before it has its receipt, and a node behind another may have neither: it is asked again. */
const displacedLooks = 3;
const displacedPauseMs = 150;

/**
 * Broadcasts a journalled transaction and waits until it is mined. Can be repeated at will: the bytes are always the
 * same, or the same transaction with a higher fee under the same nonce, of which one at most is mined.
 *
 * @returns its receipt; undefined where its nonce has gone to another transaction, so that it can never be mined.
 * @throws PouwError `chain_refused` where the node does not take it, `chain_unreachable` where the node cannot
 *   be reached or the transaction was not mined in time.
 */
export async function broadcast(
  client: RpcClient,
  tx: JournalTx,
  options: BroadcastOptions,
  bump: Bump,
): Promise<TransactionReceipt | undefined> {
  const giveUpAt = performance.now() + options.patienceMs;
  let current = tx;
  let submitAt = performance.now();
  let bumpAt = submitAt + options.bumpAfterMs;
  for (let waitMs = firstPollMs; ; waitMs = Math.min(waitMs * 2, options.pollMs)) {
    let nonceUsed = false;
    let tooCheap: PouwError | undefined;
    if (performance.now() >= submitAt) {
      const submission = await submit(client, current);
      if (submission instanceof PouwError) bumpAt = Math.min(bumpAt, performance.now());
      else if (typeof submission === 'object') return submission;
      tooCheap = submission instanceof PouwError ? submission : undefined;
      nonceUsed = submission === 'nonce-used';
      submitAt = performance.now() + rebroadcastMs;
    }
    const receipt = await receiptOfAny(client, current);
    if (receipt !== undefined) return receipt;
    // Asked for after the receipt: were it the other way round, it could be mined in between.
    if (nonceUsed && (await isDisplaced(client, current))) return undefined;
    if (performance.now() > giveUpAt) throw notMined(current, options.patienceMs);
    if (performance.now() >= bumpAt) {
      const raised = await bump(current);
      bumpAt = performance.now() + options.bumpAfterMs;
      // What no node has taken is given up where it may not be offered more.
      if (raised === undefined && tooCheap !== undefined && current.earlier.length === 0) throw tooCheap;
      if (raised !== undefined && raised.hash !== current.hash) [current, submitAt] = [raised, performance.now()];
    }
    await sleep(Math.min(waitMs, options.pollMs));
  }
}

/** The receipt of a transaction under whichever of its offers was mined. */
async function receiptOfAny(client: RpcClient, { hash, earlier }: JournalTx): Promise<TransactionReceipt | undefined> {
  for (const one of [hash, ...earlier.toReversed()]) {
    const receipt = await receiptOf(client, one);
    if (receipt !== undefined) return receipt;
  }
  return undefined;
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
  for (let look = 1; ; look += 1) {
    const isUsed = (await minedCount(client, tx.account)) > tx.nonce;
    if (!isUsed || (await receiptOfAny(client, tx)) !== undefined) return false;
    if (look === displacedLooks) return true;
    await sleep(displacedPauseMs);
  }
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
    const refusal = refused(tx, answer.message, error);
    if (isTooCheap(answer)) return refusal;
    // A node that has an earlier offer and refuses this one may still mine that.
    if (tx.earlier.length > 0) return 'taken';
    throw refusal;
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

/** The fee asked for has risen since the transaction was signed. */
function isTooCheap({ message }: { readonly message: string }): boolean {
  return /underpriced|less than block base fee|fee(cap)? too low|max ?fee ?per ?gas/i.test(message);
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
    hint: 'Nothing is lost: the same transaction is sent again when its effect is tried again. A chain that asks for more than the fee cap allows needs a higher --fee-cap-gwei.',
    details: { account: tx.account, nonce: tx.nonce, hash: tx.hash, replaced: tx.earlier.length },
  });
}

import {
  type Abi,
  keccak256 as hashOfRaw,
  type LocalAccount,
  numberToHex,
  parseTransaction,
  type TransactionReceipt,
  type TransactionSerializableEIP1559,
} from 'viem';
import { PouwError } from '../../core/errors.ts';
import { type Hex, keccak256 } from '../../core/hash.ts';
import { type Address, type EffectId, toAddress } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { broadcast, type BroadcastOptions, minedCount, receiptOf } from './broadcast.ts';
import { type Fees, type GasFees, raisedFees } from './fees.ts';
import { decodeRevert, revertError } from './reverts.ts';
import { chainError, nodeAnswer, type RpcClient } from './rpc-client.ts';
import type { JournalTx, TxJournal } from './tx-journal.ts';

/** A transaction to make: a call, or a deployment where `to` is left out. */
export interface TxRequest {
  readonly to?: Address;
  readonly data: Hex;
  /** Of the chain's own coin, in its wei. */
  readonly value?: bigint;
  /** What it is, for error messages. */
  readonly call: string;
  /** The errors it may revert with. */
  readonly errors: Abi;
}

/** A transaction to make, or how it is made once those before it are mined. */
export type TxSource = TxRequest | ((account: LocalAccount) => Promise<TxRequest>);

/** What all senders of a process share. */
export interface SenderContext extends BroadcastOptions {
  readonly client: RpcClient;
  readonly chainId: number;
  /** {@link Connection.chain} */
  readonly chain: Hex;
  readonly journal: TxJournal;
  readonly fees: Fees;
  /** Finds the effects of an account on chain that the journal does not know; each with its transaction. */
  readonly effectsOnChain: (account: Address) => Promise<ReadonlyMap<Hex, Hex>>;
}

/** How long a transaction waits under one offer unless told otherwise, in milliseconds. */
export const defaultBumpAfterMs = 30_000;

/** How often a transaction is made anew after somebody else used its nonce. */
const displacementsMax = 3;
/** Gas for what may happen between the estimate and the block: the last of k calls also ends the phase. */
const gasHeadroom = 200_000n;

/** The bytes32 under which the contracts log an effect. */
export function effectKey(effect: EffectId): Hex {
  return keccak256(effect);
}

/**
 * The one sender of an account: one transaction at a time, in order, with a nonce counted here. What is sent
 * was written to the journal before, so that nothing is ever sent twice.
 */
export class Sender {
  readonly address: Address;
  readonly #account: LocalAccount;
  readonly #context: SenderContext;
  #queue: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  /** The nonce of the next new transaction; undefined until chain and journal have been compared. */
  #nonce: number | undefined;
  #effectsOnChain: ReadonlyMap<Hex, Hex> = new Map();

  constructor(account: LocalAccount, context: SenderContext) {
    this.address = toAddress(account.address);
    this.#account = account;
    this.#context = context;
  }

  /**
   * Brings an effect onto the chain, once, and returns the receipt of the transaction that carries it.
   *
   * @throws PouwError `chain_reverted`, `chain_refused`, `chain_unreachable`, `chain_busy`.
   */
  send(source: TxSource, effect: EffectId): Promise<TransactionReceipt> {
    return this.#inTurn(() => this.#carryOut(source, effectKey(effect)));
  }

  /**
   * Broadcasts a transaction of this account that was written down before, and waits until it is mined.
   *
   * @returns undefined where its nonce has gone to another transaction.
   * @throws PouwError `chain_refused`, `chain_unreachable`.
   */
  rebroadcast(tx: JournalTx): Promise<TransactionReceipt | undefined> {
    return broadcast(this.#context.client, tx, this.#context, (stuck) => this.#bump(stuck));
  }

  /** Compares nonce and journal with the chain again before the next transaction, after a reorg for one. */
  realign(): void {
    this.#nonce = undefined;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= limits.chainSenderQueueMax) {
      return Promise.reject(
        new PouwError('chain_busy', `${limits.chainSenderQueueMax} transactions of ${this.address} are waiting.`, {
          class: 'busy',
          hint: 'Try again when some of them are mined.',
        }),
      );
    }
    this.#waiting += 1;
    const turn = this.#queue.then(work).finally(() => (this.#waiting -= 1));
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async #carryOut(source: TxSource, effect: Hex): Promise<TransactionReceipt> {
    for (let displacements = 0; displacements <= displacementsMax; displacements += 1) {
      const nonce = await this.#align();
      const earlier = this.#find(effect);
      const found = this.#effectsOnChain.get(effect);
      const mined =
        earlier === undefined && found !== undefined ? await receiptOf(this.#context.client, found) : undefined;
      if (mined !== undefined) return mined;
      const request = typeof source === 'function' ? await source(this.#account) : source;
      const tx = earlier ?? (await this.#writeUnlessOvertaken(request, effect, nonce));
      const receipt = tx === undefined ? undefined : await this.#broadcast(tx);
      if (tx !== undefined && receipt !== undefined) return this.#outcome(tx, receipt, request);
      // Somebody else with this key used the nonce: this transaction can never be mined.
      if (tx !== undefined) this.#drop(tx);
      this.realign();
    }
    throw new PouwError('chain_refused', `Another sender keeps using the nonces of ${this.address}.`, {
      class: 'conflict',
      why: 'A key must belong to one process at a time.',
      hint: 'Stop the other process that holds this key.',
    });
  }

  /**
   * A call that would revert is told, unless somebody else with this key has sent something meanwhile: that may have
   * been the very same effect, which is looked for on chain then.
   */
  async #writeUnlessOvertaken(request: TxRequest, effect: Hex, nonce: number): Promise<JournalTx | undefined> {
    try {
      return await this.#write(request, effect, nonce);
    } catch (error) {
      const isRevert = error instanceof PouwError && error.code === 'chain_reverted';
      if (!isRevert || (await minedCount(this.#context.client, this.address)) <= nonce) throw error;
      return undefined;
    }
  }

  /** Forgets a transaction, under whatever offer it waits by now. */
  #drop(tx: JournalTx): void {
    this.#context.journal.drop(this.#context.chain, this.#newest(tx));
  }

  /** A transaction as it is written down by now: it may have been replaced for a higher fee meanwhile. */
  #newest(tx: JournalTx): JournalTx {
    const now = this.#context.journal.at(this.#context.chain, tx);
    return now?.effect === tx.effect ? now : tx;
  }

  #find(effect: Hex): JournalTx | undefined {
    return this.#context.journal.find(this.#context.chain, this.address, effect);
  }

  /**
   * The next nonce. Where the chain has lost blocks, the journal is ahead of it: what is missing is sent
   * again first, in order. Where the chain is ahead, the journal does not know all we ever sent: then the
   * effects on chain are read once.
   */
  async #align(): Promise<number> {
    if (this.#nonce !== undefined) return this.#nonce;
    const { client, chain, journal } = this.#context;
    const mined = await minedCount(client, this.address);
    if (journal.countBelow(chain, this.address, mined) < mined) {
      this.#effectsOnChain = await this.#context.effectsOnChain(this.address);
    }
    const missing = journal.run(chain, this.address, mined);
    for (const tx of missing) {
      if ((await this.rebroadcast(tx)) === undefined) this.#drop(tx);
    }
    this.#nonce = mined + missing.length;
    return this.#nonce;
  }

  /** Signs a new transaction and makes it durable: from here on it is these bytes or none. */
  async #write(request: TxRequest, effect: Hex, nonce: number): Promise<JournalTx> {
    const { chain, chainId, journal } = this.#context;
    const [gas, fees] = await Promise.all([this.#estimateGas(request), this.#currentFees()]);
    const { to, data, value } = request;
    const target = { data, ...(to === undefined ? {} : { to }), ...(value === undefined ? {} : { value }) };
    const raw = await this.#account.signTransaction({ type: 'eip1559', chainId, nonce, gas, ...fees, ...target });
    const tx = await journal.write(chain, { effect, account: this.address, nonce, raw, hash: hashOfRaw(raw) });
    this.#nonce = nonce + 1;
    return tx;
  }

  /** Signs a transaction that waits again, with higher fees, and writes that down. */
  async #bump(tx: JournalTx): Promise<JournalTx | undefined> {
    const { chain, fees, journal } = this.#context;
    if (tx.earlier.length >= limits.chainFeeBumpsMax) return undefined;
    const old = parseTransaction(tx.raw) as TransactionSerializableEIP1559 & GasFees;
    fees.refresh();
    const raised = raisedFees(old, await this.#currentFees(), fees.capWei);
    if (raised === undefined) return undefined;
    const { chainId, nonce, gas, to, data, value } = old;
    const same = { type: 'eip1559', chainId, nonce, gas, to, data, value } as TransactionSerializableEIP1559;
    const raw = await this.#account.signTransaction({ ...same, ...raised });
    return journal.replace(chain, tx, { raw, hash: hashOfRaw(raw) });
  }

  /** The estimate is the simulation too: a call that would revert is told from it and uses no nonce. */
  async #estimateGas(request: TxRequest): Promise<bigint> {
    const { client } = this.#context;
    try {
      const estimate = await client.request({ method: 'eth_estimateGas', params: [this.#asCall(request)] });
      return (BigInt(estimate) * 5n) / 4n + gasHeadroom;
    } catch (error) {
      const answer = nodeAnswer(error);
      if (answer !== undefined && (answer.data !== undefined || /revert/i.test(answer.message))) {
        throw revertError(request.call, decodeRevert(request.errors, answer.data), error);
      }
      throw chainError(error, `${request.call} of ${this.address}`);
    }
  }

  async #currentFees(): ReturnType<Fees['current']> {
    try {
      return await this.#context.fees.current();
    } catch (error) {
      throw chainError(error, 'a question for fees');
    }
  }

  async #broadcast(tx: JournalTx): Promise<TransactionReceipt | undefined> {
    const { fees } = this.#context;
    try {
      return await this.rebroadcast(tx);
    } catch (error) {
      // Whatever happened, the next transaction first sees to this one.
      this.realign();
      if (error instanceof PouwError && error.code === 'chain_refused') {
        fees.refresh();
        this.#drop(tx);
      }
      throw error;
    }
  }

  /** A reverted transaction is reported once; its effect may then be tried anew. */
  async #outcome(tx: JournalTx, receipt: TransactionReceipt, request: TxRequest): Promise<TransactionReceipt> {
    if (receipt.status === 'success') return receipt;
    const revert = decodeRevert(request.errors, await this.#revertData(request, receipt));
    this.#context.journal.release(this.#context.chain, this.#newest(tx));
    throw revertError(request.call, revert);
  }

  /** Receipts do not say why: the call is made again on the state before its block. */
  async #revertData(request: TxRequest, receipt: TransactionReceipt): Promise<Hex | undefined> {
    const before = numberToHex(receipt.blockNumber - 1n);
    try {
      await this.#context.client.request({ method: 'eth_call', params: [this.#asCall(request), before] });
      return undefined;
    } catch (error) {
      return nodeAnswer(error)?.data;
    }
  }

  #asCall({ to, data, value }: TxRequest) {
    const target = to === undefined ? {} : { to };
    return { from: this.address, data, ...target, ...(value === undefined ? {} : { value: numberToHex(value) }) };
  }
}

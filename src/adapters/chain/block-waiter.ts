import { PouwError } from '../../core/errors.ts';
import type { Block } from '../../ports/chain.ts';
import type { BlockRef } from './block-window.ts';
import type { HeadTracker } from './head-tracker.ts';
import { chainError, type RpcClient } from './rpc-client.ts';

/** So many blocks are asked for; who waits for a later one waits for the chain. */
const minedAtOnceMax = 4;

/** What a waiter is made of. */
export interface BlockWaiterOptions {
  readonly tracker: HeadTracker;
  readonly client: RpcClient;
  /** Whether blocks just ahead are asked for, which only a development chain grants. */
  readonly mineOnDemand: boolean;
  /** Makes a block and all before it durable, see `ViemChainOptions.keep`. */
  readonly keep: (block: BlockRef) => Promise<void>;
}

interface Waiter {
  readonly number: number;
  readonly done: (block: Block) => void;
  readonly fail: (error: Error) => void;
}

/** Waits for blocks by the shared tracker's eyes. */
export class BlockWaiter {
  readonly #options: BlockWaiterOptions;
  readonly #waiters = new Set<Waiter>();
  #unlisten: (() => void) | undefined;

  constructor(options: BlockWaiterOptions) {
    this.#options = options;
  }

  /** The head as soon as it is at least `number`. Rejects with the signal's reason, or `chain_closed`. */
  async wait(number: number, signal?: AbortSignal): Promise<Block> {
    const block = await this.#reach(number, signal);
    await this.#options.keep(block);
    return block;
  }

  async #reach(number: number, signal: AbortSignal | undefined): Promise<Block> {
    const { tracker, mineOnDemand } = this.#options;
    signal?.throwIfAborted();
    this.#unlisten ??= tracker.listen({ onChange: () => this.#look(), onOutage: () => undefined });
    const { head } = tracker;
    if (head !== undefined && head.number >= number) return head;
    if (mineOnDemand) await this.#mine(number);
    signal?.throwIfAborted();
    return new Promise<Block>((resolve, reject) => {
      const abort = (): void => waiter.fail(asError(signal?.reason));
      const leave = (): void => {
        this.#waiters.delete(waiter);
        signal?.removeEventListener('abort', abort);
      };
      const waiter: Waiter = {
        number,
        done: (block) => {
          leave();
          resolve(block);
        },
        fail: (error) => {
          leave();
          reject(error);
        },
      };
      this.#waiters.add(waiter);
      signal?.addEventListener('abort', abort);
      tracker.nudge();
      this.#look();
    });
  }

  /** Fails all who wait. */
  close(): void {
    this.#unlisten?.();
    const closed = new PouwError('chain_closed', 'The chain was closed while somebody waited for a block.', {
      class: 'unavailable',
    });
    for (const waiter of this.#waiters) waiter.fail(closed);
  }

  #look(): void {
    const { head } = this.#options.tracker;
    if (head === undefined) return;
    for (const waiter of this.#waiters) if (waiter.number <= head.number) waiter.done(head);
  }

  async #mine(number: number): Promise<void> {
    const { client } = this.#options;
    try {
      const head = Number(await client.request({ method: 'eth_blockNumber' }));
      const missing = number - head;
      if (missing < 1 || missing > minedAtOnceMax) return;
      for (let block = 0; block < missing; block += 1) {
        await client.request({ method: 'evm_mine', params: [] } as never);
      }
    } catch (error) {
      throw chainError(error, 'to make a block');
    }
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

import { PouwError } from '../../core/errors.ts';
import type { Block } from '../../ports/chain.ts';
import type { HeadTracker } from './head-tracker.ts';
import { chainError, type RpcClient } from './rpc-client.ts';

/** So many blocks are asked for; who waits for a later one waits for the chain. */
const minedAtOnceMax = 4;

interface Waiter {
  readonly number: number;
  readonly done: (block: Block) => void;
  readonly fail: (error: Error) => void;
}

/** Waits for blocks by the shared tracker's eyes. */
export class BlockWaiter {
  readonly #tracker: HeadTracker;
  readonly #client: RpcClient;
  readonly #mineOnDemand: boolean;
  readonly #waiters = new Set<Waiter>();
  #unlisten: (() => void) | undefined;

  /** @param mineOnDemand whether blocks just ahead are asked for, which only a development chain grants. */
  constructor(tracker: HeadTracker, client: RpcClient, mineOnDemand: boolean) {
    this.#tracker = tracker;
    this.#client = client;
    this.#mineOnDemand = mineOnDemand;
  }

  /** The head as soon as it is at least `number`. Rejects with the signal's reason, or `chain_closed`. */
  async wait(number: number, signal?: AbortSignal): Promise<Block> {
    signal?.throwIfAborted();
    this.#unlisten ??= this.#tracker.listen({ onChange: () => this.#look(), onOutage: () => undefined });
    const head = this.#tracker.head;
    if (head !== undefined && head.number >= number) return head;
    if (this.#mineOnDemand) await this.#mine(number);
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
      this.#tracker.nudge();
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
    const head = this.#tracker.head;
    if (head === undefined) return;
    for (const waiter of this.#waiters) if (waiter.number <= head.number) waiter.done(head);
  }

  async #mine(number: number): Promise<void> {
    try {
      const head = Number(await this.#client.request({ method: 'eth_blockNumber' }));
      const missing = number - head;
      if (missing < 1 || missing > minedAtOnceMax) return;
      for (let block = 0; block < missing; block += 1) {
        await this.#client.request({ method: 'evm_mine', params: [] } as never);
      }
    } catch (error) {
      throw chainError(error, 'to make a block');
    }
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

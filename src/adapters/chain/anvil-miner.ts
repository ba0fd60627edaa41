import { setTimeout as sleep } from 'node:timers/promises';
import { anvilRequest } from './anvil-rpc.ts';

/** Time between two blocks that nobody asked for, in milliseconds. */
const blockMs = 1_000;

/** Makes block time pass on an anvil that makes a block of each transaction at once. */
export interface AnvilMiner {
  /** Runs work while no block is made; transactions that come meanwhile wait for its end. */
  still<T>(work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/**
 * Asks for a block each second. Anvil has a timer of its own for that, but one that cannot be held: its state would
 * be read while it changes, and a block's money would be in it without the block.
 */
export function startAnvilMiner(url: string): AnvilMiner {
  const stop = new AbortController();
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined);
    return mine;
  };
  const run = async (): Promise<void> => {
    while (await sleep(blockMs, true, { signal: stop.signal }).catch(() => false)) {
      // An anvil that does not answer is noticed by all who need more of it than a block.
      await inTurn(() => anvilRequest(url, 'evm_mine')).catch(() => undefined);
    }
  };
  const running = run();
  return {
    still: (work) =>
      inTurn(async () => {
        await anvilRequest(url, 'evm_setAutomine', [false]);
        try {
          return await work();
        } finally {
          await anvilRequest(url, 'evm_setAutomine', [true]);
        }
      }),
    close: async () => {
      stop.abort();
      await running;
      await turn;
    },
  };
}

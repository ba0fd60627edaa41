import type { NetworkHealth } from '../../ports/gateway-network.ts';

/** A log of which can be said whether it takes writes. */
export interface WatchedLog {
  /** Why the last write failed; undefined where it did not. */
  failure(): unknown;
}

/** What decides whether a task that is submitted now would be taken up. */
export class FrontHealth {
  readonly #log: WatchedLog | undefined;
  #block = 0;
  #chain: 'down' | 'up' = 'up';

  constructor(log: WatchedLog | undefined) {
    this.#log = log;
  }

  /** The chain has a new block. */
  sawBlock(block: number): void {
    this.#block = Math.max(this.#block, block);
  }

  /** The chain cannot be reached, or can again: without it no task is taken. */
  chainIs(state: 'down' | 'up'): void {
    this.#chain = state;
  }

  get isChainDown(): boolean {
    return this.#chain === 'down';
  }

  /** @param miners how many are alive. */
  report(miners: number): NetworkHealth {
    const reason = this.#reason(miners);
    const seen = { miners, block: this.#block };
    return reason === undefined ? { ready: true, ...seen } : { ready: false, reason, ...seen };
  }

  #reason(miners: number): string | undefined {
    if (this.isChainDown) return 'The chain cannot be reached.';
    if (this.#log?.failure() !== undefined) return 'The event log cannot be written.';
    return miners > 0 ? undefined : 'No miner is alive.';
  }
}

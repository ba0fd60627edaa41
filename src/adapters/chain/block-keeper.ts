import type { Hex } from '../../core/hash.ts';
import { limits } from '../../core/limits.ts';
import { type AnvilBlock, anvilBlock, anvilRequest } from './anvil-rpc.ts';
import type { BlockLog, BlockLogStart, KnownState, LoggedBlock } from './block-log.ts';
import type { BlockRef } from './block-window.ts';
import { signedBytes } from './signed-bytes.ts';

/** A state that is on the disk. */
export interface SavedState {
  /** A block that it has at least. */
  readonly base: BlockRef;
  /** Its SHA-256. */
  readonly state: string;
}

/**
 * Keeps the blocks that a local chain has made since its state was last saved. Anvil has them in memory only; made
 * again from what is kept, on the saved state, they are the same to the last bit of their hashes. One call at a time
 * is at work, and what several wait for is written once.
 */
export class BlockKeeper {
  readonly #url: string;
  readonly #log: BlockLog;
  #base: BlockRef;
  /** The saved state; undefined where nobody knows. */
  #state: KnownState | undefined;
  /** The blocks after the base as far as they were read, without gaps. */
  #blocks: LoggedBlock[] = [];
  /** How many of them are on the disk. */
  #written = 0;
  /** Whether the end of the log may be half a line. */
  #torn = false;
  #turn: Promise<unknown> = Promise.resolve();

  /** @param known the blocks after the base that the log has already, and the state it goes on from. */
  constructor(
    url: string,
    log: BlockLog,
    base: BlockRef,
    { blocks = [], state }: Pick<BlockLogStart, 'blocks' | 'state'> = {},
  ) {
    this.#url = url;
    this.#log = log;
    this.#base = base;
    this.#blocks = [...blocks];
    this.#written = blocks.length;
    this.#state = state;
  }

  /** Whether the state is worth saving: empty blocks are not, unless they have become many. */
  get isDue(): boolean {
    return this.#blocks.length >= limits.chainUnsavedBlocksMax || this.#blocks.some(({ raw }) => raw.length > 0);
  }

  /**
   * Puts a block and all before it on the disk.
   *
   * @returns false where the chain is another than the one that was read: then its state must be saved instead.
   */
  keep(block: BlockRef): Promise<boolean> {
    return this.#inTurn(async () => {
      if (!this.#has(block) && !(await this.#read(block.number))) return false;
      if (!this.#has(block)) return false;
      await this.#write(block.number);
      return true;
    });
  }

  /** Reads what is new, without writing it. @returns as {@link keep} does. */
  look(): Promise<boolean> {
    return this.#inTurn(() => this.#read(Number.MAX_SAFE_INTEGER));
  }

  /** Says which state is about to be saved. */
  announce(hash: string): Promise<void> {
    return this.#inTurn(() => this.#log.announce(this.#known(hash)));
  }

  /** Forgets what a saved state has, up to `base`. */
  restart({ base, state }: SavedState): Promise<void> {
    return this.#inTurn(async () => {
      const later = this.#has(base) ? this.#blocks.filter(({ number }) => number > base.number) : [];
      this.#state = this.#known(state);
      await this.#log.restart(base, later, this.#state);
      this.#base = base;
      this.#blocks = later;
      this.#written = later.length;
      this.#torn = false;
    });
  }

  /** Ends once what is under way has ended. */
  close(): Promise<void> {
    return this.#inTurn(() => this.#log.close());
  }

  /** Forgets that blocks were lost: who was told of them knows. */
  heal(): void {
    if (this.#state !== undefined) this.#state = { hash: this.#state.hash };
  }

  /** What was lost stays lost in the next state. */
  #known(hash: string): KnownState {
    const lostFrom = this.#state?.lostFrom;
    return { hash, ...(lostFrom === undefined ? {} : { lostFrom }) };
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  get #tip(): BlockRef {
    return this.#blocks.at(-1) ?? this.#base;
  }

  /** What is below the base is in the saved state. */
  #has({ number, hash }: BlockRef): boolean {
    if (number < this.#base.number) return true;
    const known = number === this.#base.number ? this.#base : this.#blocks[number - this.#base.number - 1];
    return known?.hash === hash;
  }

  /** Reads on from the tip; false where what comes next does not follow it. */
  async #read(to: number): Promise<boolean> {
    while (this.#tip.number < to) {
      const next = await anvilBlock(this.#url, this.#tip.number + 1);
      if (next === undefined) return true;
      if (next.parentHash !== this.#tip.hash) return false;
      this.#blocks.push(await this.#withTransactions(next));
    }
    return true;
  }

  async #withTransactions({ number, hash, timestamp, baseFeePerGas, transactions }: AnvilBlock): Promise<LoggedBlock> {
    const raw = await Promise.all(transactions.map(async (tx) => signedBytes(tx) ?? this.#askForBytes(tx.hash)));
    return { number, hash, timestamp, baseFeePerGas, raw };
  }

  async #askForBytes(tx: Hex): Promise<Hex> {
    return (await anvilRequest(this.#url, 'eth_getRawTransactionByHash', [tx])) as Hex;
  }

  async #write(to: number): Promise<void> {
    const end = to - this.#base.number;
    if (end <= this.#written) return;
    const [from, all] = [this.#written, this.#blocks.length];
    try {
      if (this.#torn) await this.#log.restart(this.#base, this.#blocks, this.#state);
      else await this.#log.append(this.#blocks.slice(from));
      this.#written = all;
      this.#torn = false;
    } catch (error) {
      this.#torn = true;
      throw error;
    }
  }
}

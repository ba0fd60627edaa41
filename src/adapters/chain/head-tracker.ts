import { present } from '../../core/assert.ts';
import { PouwError } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import { limits } from '../../core/limits.ts';
import type { Block, Deployment } from '../../ports/chain.ts';
import { type BlockRef, BlockWindow } from './block-window.ts';
import { type Header, isOnChain, readFactBlocks, readHeader } from './fact-reader.ts';
import type { FactBlock, RecentFacts } from './recent-facts.ts';
import { reasonOf, type RpcClient } from './rpc-client.ts';

/** What a tracker is made of. */
export interface HeadTrackerOptions {
  /** A client that does not try again by itself: the tracker reports outages at once. */
  readonly client: RpcClient;
  readonly deployment: Deployment;
  /** {@link Connection.chain} */
  readonly chain: Hex;
  readonly recentFacts: RecentFacts;
  /** How many blocks a fact must have on it, its own included, before it is read; 1 for none beside its own. */
  readonly confirmations: number;
  /** Time between two looks at the chain, in milliseconds. */
  readonly pollMs: number;
  /** Makes a block and all before it durable, see `ViemChainOptions.keep`. */
  readonly keep: (block: BlockRef) => Promise<void>;
  /** Told of each reorg once its blocks are undone here. */
  readonly onReorg: () => void;
}

/** Told of what the tracker sees. */
export interface HeadListener {
  /** The head, the facts read, or both have changed. */
  onChange(): void;
  onOutage(state: 'down' | 'up', reason: string): void;
}

/** A head below what was read may be a node that lags behind another one; from this many on it is a reorg. */
const lowerHeadsMax = 3;
const longestDelayMs = 5_000;

/**
 * The one poller of a process: reads head and facts of the chain for all followers, and notices reorgs. What
 * it reads goes to the store first, so that a reorg can be undone after a restart too.
 */
export class HeadTracker {
  readonly #options: HeadTrackerOptions;
  readonly #listeners = new Set<HeadListener>();
  readonly #stop = new AbortController();
  #window: BlockWindow | undefined;
  #head: Header | undefined;
  #newestReorg: number;
  #lowerHeads = 0;
  /** Whether what was read must be looked for on the chain first: at the start, and after it was missed there. */
  #doubted = true;
  #outage: string | undefined;
  #nudged = false;
  #wake: (() => void) | undefined;
  #running: Promise<void> | undefined;

  constructor(options: HeadTrackerOptions) {
    this.#options = options;
    this.#newestReorg = options.recentFacts.newestReorg(options.chain);
  }

  /** The newest block, confirmed or not; undefined before the first answer. */
  get head(): Block | undefined {
    return this.#head;
  }

  /** The facts read; undefined before the first answer, which also finds reorgs that happened while we were down. */
  get window(): BlockWindow | undefined {
    return this.#head === undefined ? undefined : this.#window;
  }

  /** The number of the newest reorg. */
  get newestReorg(): number {
    return this.#newestReorg;
  }

  /** Starts polling with the first listener; the disposer ends its notices. */
  listen(listener: HeadListener): () => void {
    this.#listeners.add(listener);
    if (this.#outage !== undefined) listener.onOutage('down', this.#outage);
    this.#running ??= this.#run();
    return () => this.#listeners.delete(listener);
  }

  /** Looks at the chain at once. */
  nudge(): void {
    this.#nudged = true;
    this.#wake?.();
  }

  /** Stops polling. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#wake?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    let delayMs = this.#options.pollMs;
    while (!this.#stop.signal.aborted) {
      this.#nudged = false;
      try {
        await this.#poll();
        this.#report(undefined);
        delayMs = this.#options.pollMs;
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        this.#report(reasonOf(error));
        delayMs = Math.min(delayMs * 2, longestDelayMs);
      }
      await this.#rest(delayMs);
    }
  }

  async #rest(ms: number): Promise<void> {
    if (this.#nudged || this.#stop.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }

  #report(outage: string | undefined): void {
    const before = this.#outage;
    this.#outage = outage;
    if ((before === undefined) === (outage === undefined)) return;
    for (const listener of this.#listeners) {
      if (outage === undefined) listener.onOutage('up', `The chain answers again after: ${before}`);
      else listener.onOutage('down', outage);
    }
  }

  #changed(): void {
    for (const listener of this.#listeners) listener.onChange();
  }

  async #poll(): Promise<void> {
    const latest = present(await readHeader(this.#options.client, 'latest'), 'the newest block');
    this.#window ??= await this.#open();
    const window = this.#window;
    const target = latest.number - (this.#options.confirmations - 1);
    if (!(await this.#stands(window, latest, target))) return;
    const isNew = this.#head?.hash !== latest.hash;
    this.#head = latest;
    while (window.tip.number < target) {
      const to = Math.min(target, window.tip.number + limits.chainLogRangeBlocksMax);
      const header = to === latest.number ? latest : await readHeader(this.#options.client, to);
      if (header === undefined || !(await this.#advance(window, header))) break;
      this.#changed();
    }
    if (isNew) this.#changed();
  }

  /** What the store remembers, or an empty window from the deployment on. */
  async #open(): Promise<BlockWindow> {
    const { client, deployment, chain, recentFacts } = this.#options;
    const origin = deployment.fromBlock - 1;
    const blocks = recentFacts.blocks(chain);
    const newest = blocks.at(-1);
    // A full store has forgotten blocks below its first one.
    const oldest = blocks.length < limits.chainWindowBlocksMax ? origin : (blocks[0] as FactBlock).number - 1;
    if (newest !== undefined) return new BlockWindow(oldest, blocks, { number: newest.number, hash: newest.hash });
    const header = present(await readHeader(client, Math.max(0, origin)), 'the block before the deployment');
    return new BlockWindow(origin, [], { number: origin, hash: header.hash });
  }

  /** Whether what was read is still the chain; undoes what is not. False where that is not known yet. */
  async #stands(window: BlockWindow, latest: Header, target: number): Promise<boolean> {
    const { tip } = window;
    // Who reads on looks at the tip in any case, once the rest is read.
    if (target > tip.number && !this.#doubted) return this.#higherHead();
    // Before it is looked for: a doubt that comes meanwhile is another one.
    this.#doubted = false;
    if (latest.hash === tip.hash || latest.parentHash === tip.hash) return this.#higherHead();
    if (latest.number < tip.number) {
      this.#lowerHeads += 1;
      if (this.#lowerHeads < lowerHeadsMax) return false;
    }
    try {
      if (latest.number < tip.number || !(await this.#isOnChain(tip))) await this.#undo(window);
    } catch (error) {
      // It is as unknown as it was: the next block must not pass for an answer.
      this.#doubted = true;
      throw error;
    }
    return this.#higherHead();
  }

  /** Has the next look, which is at once, find out what the chain has lost. */
  #doubt(): void {
    this.#doubted = true;
    this.nudge();
  }

  #higherHead(): true {
    this.#lowerHeads = 0;
    return true;
  }

  #isOnChain(block: BlockRef): Promise<boolean> {
    return isOnChain(this.#options.client, block);
  }

  /** Rewinds to the newest block with facts that the chain still has. */
  async #undo(window: BlockWindow): Promise<void> {
    const { client, chain, deployment, recentFacts } = this.#options;
    const { blocks } = window;
    // A block on the chain has all its ancestors on the chain: halving finds the last one.
    let standing = 0;
    let fallen = blocks.length;
    while (standing < fallen) {
      const middle = (standing + fallen) >>> 1;
      if (await this.#isOnChain(blocks[middle] as FactBlock)) standing = middle + 1;
      else fallen = middle;
    }
    const shared = blocks[standing - 1];
    if (shared === undefined && window.start >= deployment.fromBlock) throw tooDeep(blocks.length);
    const fork = shared?.number ?? window.start;
    const hash =
      shared?.hash ?? present(await readHeader(client, Math.max(0, fork)), 'the block before the deployment').hash;
    this.#newestReorg = (await recentFacts.rewind(chain, fork)).id;
    window.rewind({ number: fork, hash });
    this.#options.onReorg();
    this.#changed();
  }

  /** Reads up to a block; false where the chain changed while it was read. */
  async #advance(window: BlockWindow, to: Header): Promise<boolean> {
    const { client, deployment, chain, recentFacts, keep } = this.#options;
    const { tip } = window;
    const blocks = await readFactBlocks(client, deployment, tip.number + 1, to.number);
    // The same tip and the same end afterwards: what lies between them is of one chain.
    const [end, stands] = await Promise.all([
      readHeader(client, to.number),
      this.#isOnChain(tip),
      blocks.length === 0 ? undefined : keep({ number: to.number, hash: to.hash }),
    ]);
    if (!stands) this.#doubt();
    if (end?.hash !== to.hash || !stands) return false;
    await recentFacts.append(chain, blocks);
    window.append(blocks, { number: to.number, hash: to.hash });
    return true;
  }
}

function tooDeep(blocks: number): PouwError {
  return new PouwError('chain_reorg_too_deep', 'The chain has changed further back than is remembered.', {
    class: 'corrupt',
    why: `None of the last ${blocks} blocks with facts is on the chain any more.`,
    hint: 'Check that --rpc names the same chain as before; if it does, start on a new --data directory.',
  });
}

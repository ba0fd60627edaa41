import { setTimeout as sleep } from 'node:timers/promises';
import { PouwError } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import { limits } from '../../core/limits.ts';
import type { ChainCursor, ChainFact, ChainFeed, Deployment, RecentBlock } from '../../ports/chain.ts';
import type { Subscription } from '../../ports/event-store.ts';
import type { BlockRef } from './block-window.ts';
import { isOnChain, readFactBlocks, readHeader } from './fact-reader.ts';
import type { HeadTracker } from './head-tracker.ts';
import type { FactBlock, RecentFacts, Reorg } from './recent-facts.ts';
import { reasonOf, type RpcClient } from './rpc-client.ts';

/** What a follower is made of. */
export interface FollowerOptions {
  readonly tracker: HeadTracker;
  readonly client: RpcClient;
  readonly deployment: Deployment;
  /** {@link Connection.chain} */
  readonly chain: Hex;
  readonly recentFacts: RecentFacts;
  readonly cursor: ChainCursor | undefined;
  readonly feed: ChainFeed;
  /** Told when the feed's own handlers throw; they are called again with the same facts. */
  readonly onError: (error: unknown) => void;
}

/** After this many blocks without facts the feed is told all the same, so that its cursor does not stay behind. */
const silentBlocksMax = 1_000;
const firstRetryMs = 50;
/** How often a block that is not on the chain is looked for at a start, and the time between two looks. */
const resumeLooksMax = 10;
const resumePauseMs = 200;
const longestRetryMs = 5_000;

/** Facts to deliver and where the follower stands once they are. */
interface Step {
  readonly kind: 'facts' | 'removed';
  readonly facts: readonly ChainFact[];
  readonly position: number;
  readonly reorg: number;
  readonly recent: readonly RecentBlock[];
  readonly tip?: BlockRef;
}

/**
 * Feeds one consumer from the shared tracker, at its own pace and from its own cursor. Reorgs are taken one
 * by one: what each removed below the follower's position was delivered before, everything else was not. Only after
 * a start that is not known: the consumer may have taken facts whose cursor was not saved any more, so it is told of
 * all that was removed.
 */
export class Follower implements Subscription {
  readonly #options: FollowerOptions;
  readonly #stop = new AbortController();
  readonly #unlisten: () => void;
  readonly #running: Promise<void>;
  #position: number;
  #reorg: number;
  /** The newest delivered blocks with facts, oldest first. */
  #recent: readonly RecentBlock[];
  #delivered: number;
  /** Whether the consumer may know more than its cursor says: at the start, until it is told new facts. */
  #isResuming: boolean;
  #wake: (() => void) | undefined;
  #changed = false;

  constructor(options: FollowerOptions) {
    this.#options = options;
    const { cursor, deployment, tracker, feed } = options;
    this.#position = cursor?.block ?? deployment.fromBlock - 1;
    this.#reorg = cursor?.reorg ?? tracker.newestReorg;
    this.#recent = cursor?.recent ?? [];
    this.#delivered = this.#position;
    this.#isResuming = cursor !== undefined;
    this.#unlisten = tracker.listen({
      onChange: () => {
        this.#changed = true;
        this.#wake?.();
      },
      onOutage: (state, reason) => feed.onOutage?.(state, reason),
    });
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#wake?.();
    this.#unlisten();
    await this.#running;
  }

  get #closed(): boolean {
    return this.#stop.signal.aborted;
  }

  async #run(): Promise<void> {
    try {
      while (!this.#closed && this.#options.tracker.window === undefined) await this.#change();
      await this.#persist(() => this.#resume());
      while (!this.#closed) {
        this.#tellProgress();
        const step = await this.#persist(() => this.#next());
        if (step === undefined) await this.#change();
        else await this.#take(step);
      }
    } catch (error) {
      // Neither time nor another try helps: the consumer would miss facts if it went on.
      this.#options.feed.onOutage?.('down', reasonOf(error));
      this.#options.feed.onLost?.(error);
      this.#options.onError(error);
    }
  }

  #tellProgress(): void {
    const { tracker, feed } = this.#options;
    if (tracker.head !== undefined) feed.onProgress?.({ head: tracker.head.number, block: this.#position });
  }

  /** Waits until the tracker has seen something new. */
  async #change(): Promise<void> {
    if (!this.#changed && !this.#closed) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#wake = undefined;
    this.#changed = false;
  }

  /** Tries work that asks the node again until the node answers. */
  async #persist<T>(work: () => Promise<T>): Promise<T | undefined> {
    for (let waitMs = firstRetryMs; !this.#closed; waitMs = Math.min(waitMs * 2, longestRetryMs)) {
      try {
        return await work();
      } catch (error) {
        if (error instanceof PouwError && error.code !== 'chain_unreachable') throw error;
        await this.#pause(waitMs);
      }
    }
    return undefined;
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }

  /**
   * After a start: undoes the reorgs that happened meanwhile. What is left of the cursor must be on the chain, or blocks
   * with facts are gone and nobody remembers them, so that nobody can be told of it: only a block without facts may have
   * given way to another one. Where the reorgs are forgotten, it may not either.
   */
  async #resume(): Promise<void> {
    const { tracker, recentFacts, chain, deployment } = this.#options;
    const isRemembered = recentFacts.reorgsAfter(chain, this.#reorg) !== undefined;
    if (!isRemembered) this.#reorg = tracker.newestReorg;
    for (let looks = 1; !this.#closed; looks += 1) {
      for (let step = this.#undoNext(); step !== undefined && !this.#closed; step = this.#undoNext())
        await this.#take(step);
      const newest = this.#recent.at(-1);
      if (newest === undefined || (await isOnChain(this.#options.client, newest))) break;
      if (newest.bare === true && isRemembered && this.#recent.length > 1) {
        this.#recent = this.#recent.slice(0, -1);
        this.#position = Math.min(this.#position, this.#recent.at(-1)?.number ?? newest.number - 1);
      } else {
        // A reorg of this moment is found by the tracker too, and then undone here.
        if (!isRemembered || looks >= resumeLooksMax) throw lostCursor();
        tracker.nudge();
        await this.#pause(resumePauseMs);
      }
    }
    if (this.#closed || this.#position < deployment.fromBlock || this.#recent.length > 0) return;
    // Only who is far behind, or was put back by a reorg, has a cursor without blocks.
    if (!isRemembered || (await readHeader(this.#options.client, this.#position)) === undefined) throw lostCursor();
  }

  async #next(): Promise<Step | undefined> {
    const { tracker, client, deployment } = this.#options;
    const undo = this.#undoNext();
    if (undo !== undefined) return undo;
    const window = tracker.window;
    if (window === undefined || this.#position >= window.tip.number) return undefined;
    if (this.#position >= window.start) {
      const { blocks, to } = window.after(this.#position, limits.chainDeliveryFactsMax);
      return this.#forward(blocks, to.number, to);
    }
    // Far behind: read alone what the others have read long ago. Too old to be undone by a reorg.
    const to = Math.min(window.start, this.#position + limits.chainLogRangeBlocksMax);
    return this.#forward(await readFactBlocks(client, deployment, this.#position + 1, to), to, undefined);
  }

  #forward(blocks: readonly FactBlock[], position: number, tip: BlockRef | undefined): Step {
    const facts = blocks.flatMap((block) => block.facts);
    const recent = [...this.#recent, ...blocks.map(({ number, hash }) => ({ number, hash }))];
    const kept = recent.slice(-(limits.chainCursorHashesMax - 1));
    const end = tip === undefined ? {} : { tip };
    return { kind: 'facts', facts, position, reorg: this.#reorg, recent: kept, ...end };
  }

  /** The oldest reorg not handled yet, as a step. */
  #undoNext(): Step | undefined {
    const { tracker, recentFacts, chain } = this.#options;
    if (tracker.newestReorg === this.#reorg) return undefined;
    const reorgs = recentFacts.reorgsAfter(chain, this.#reorg);
    if (reorgs === undefined) throw lostCursor();
    const reorg = reorgs[0];
    return reorg === undefined ? undefined : this.#backward(reorg);
  }

  #backward(reorg: Reorg): Step {
    const removed = reorg.removed.filter((block) => this.#isResuming || block.number <= this.#position);
    return {
      kind: 'removed',
      facts: removed.flatMap((block) => block.facts.toReversed()),
      position: Math.min(this.#position, reorg.fork),
      reorg: reorg.id,
      recent: this.#recent.filter((block) => block.number <= reorg.fork),
    };
  }

  /** Delivers a step and only then stands where it leads; a handler that throws gets the same step again. */
  async #take(step: Step): Promise<void> {
    const isSilent =
      step.facts.length === 0 && (step.kind === 'removed' || step.position - this.#delivered < silentBlocksMax);
    if (!isSilent) {
      await this.#deliver(step);
      this.#delivered = step.position;
    }
    if (step.kind === 'facts') this.#isResuming = false;
    this.#position = step.position;
    this.#reorg = step.reorg;
    this.#recent = step.recent;
  }

  async #deliver(step: Step): Promise<void> {
    for (let waitMs = firstRetryMs; !this.#closed; waitMs = Math.min(waitMs * 2, longestRetryMs)) {
      try {
        const { feed } = this.#options;
        if (step.kind === 'facts') return await feed.onFacts(step.facts, cursorOf(step));
        return await feed.onRemoved(step.facts, cursorOf(step));
      } catch (error) {
        this.#options.onError(error);
        await this.#pause(waitMs);
      }
    }
  }
}

function cursorOf(step: Step): ChainCursor {
  const { tip, recent } = step;
  const end = tip !== undefined && tip.number !== recent.at(-1)?.number ? [{ ...tip, bare: true } as const] : [];
  return { block: step.position, reorg: step.reorg, recent: [...recent, ...end] };
}

function lostCursor(): PouwError {
  return new PouwError('chain_cursor_lost', 'A chain cursor speaks of blocks that the chain does not have.', {
    class: 'corrupt',
    why: 'The chain has changed since, and what it has removed is not remembered.',
    hint: 'Check that --rpc names the same chain as before, and that no part of the data directory is an older copy; else start on a new one.',
  });
}

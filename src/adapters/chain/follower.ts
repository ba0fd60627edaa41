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

/** Where a follower stands. */
interface Place {
  /** The last block that was delivered. */
  readonly position: number;
  /** The last reorg that was undone. */
  readonly reorg: number;
  /** The newest delivered blocks with facts, oldest first. */
  readonly recent: readonly RecentBlock[];
}

/** Facts to deliver and where the follower stands once they are. */
interface Step extends Place {
  readonly kind: 'facts' | 'removed';
  readonly facts: readonly ChainFact[];
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
  #place: Place;
  #delivered: number;
  /** Whether the consumer may know more than its cursor says: at the start, until it is told new facts. */
  #isResuming: boolean;
  #wake: (() => void) | undefined;
  #changed = false;

  constructor(options: FollowerOptions) {
    this.#options = options;
    const { cursor, deployment, tracker, feed } = options;
    const position = cursor?.block ?? deployment.fromBlock - 1;
    this.#place = { position, reorg: cursor?.reorg ?? tracker.newestReorg, recent: cursor?.recent ?? [] };
    this.#delivered = position;
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
      await this.#resume();
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
    if (tracker.head !== undefined) feed.onProgress?.({ head: tracker.head.number, block: this.#place.position });
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

  /** After a start: judges the cursor before anybody is told anything, and undoes the reorgs that happened meanwhile. */
  async #resume(): Promise<void> {
    const judged = await this.#persist(() => this.#judge());
    if (judged === undefined) return;
    this.#tellProgress();
    for (const step of judged.undo) if (!this.#closed) await this.#take(step);
    this.#place = judged.place;
  }

  /**
   * Where a cursor leads: the reorgs to undo, and the place after them. What is left of the cursor must be on the chain,
   * or blocks with facts are gone and nobody remembers them, so that nobody can be told of it: only a block without facts
   * may have given way to another one. Where the reorgs are forgotten, it may not either.
   */
  async #judge(): Promise<{ readonly undo: readonly Step[]; readonly place: Place } | undefined> {
    const { tracker, recentFacts, chain, client, deployment } = this.#options;
    const isRemembered = recentFacts.reorgsAfter(chain, this.#place.reorg) !== undefined;
    let place = isRemembered ? this.#place : { ...this.#place, reorg: tracker.newestReorg };
    const undo: Step[] = [];
    for (let looks = 1; !this.#closed; looks += 1) {
      for (let step = this.#undoNext(place); step !== undefined; step = this.#undoNext(place)) {
        undo.push(step);
        place = placeOf(step);
      }
      const { recent, position } = place;
      const newest = recent.at(-1);
      if (newest === undefined || (await isOnChain(client, newest))) break;
      if (newest.bare === true && isRemembered && recent.length > 1) {
        const kept = recent.slice(0, -1);
        place = { ...place, recent: kept, position: Math.min(position, kept.at(-1)?.number ?? newest.number - 1) };
      } else {
        // A reorg of this moment is found by the tracker too, and then undone here.
        if (!isRemembered || looks >= resumeLooksMax) throw lostCursor();
        tracker.nudge();
        await this.#pause(resumePauseMs);
      }
    }
    if (this.#closed) return undefined;
    if (place.position < deployment.fromBlock || place.recent.length > 0) return { undo, place };
    // Only who is far behind, or was put back by a reorg, has a cursor without blocks.
    if (!isRemembered || (await readHeader(client, place.position)) === undefined) throw lostCursor();
    return { undo, place };
  }

  async #next(): Promise<Step | undefined> {
    const { tracker, client, deployment } = this.#options;
    const undo = this.#undoNext(this.#place);
    if (undo !== undefined) return undo;
    const window = tracker.window;
    const { position } = this.#place;
    if (window === undefined || position >= window.tip.number) return undefined;
    if (position >= window.start) {
      const { blocks, to } = window.after(position, limits.chainDeliveryFactsMax);
      return this.#forward(blocks, to.number, to);
    }
    // Far behind: read alone what the others have read long ago. Too old to be undone by a reorg.
    const to = Math.min(window.start, position + limits.chainLogRangeBlocksMax);
    return this.#forward(await readFactBlocks(client, deployment, position + 1, to), to, undefined);
  }

  #forward(blocks: readonly FactBlock[], position: number, tip: BlockRef | undefined): Step {
    const facts = blocks.flatMap((block) => block.facts);
    const recent = [...this.#place.recent, ...blocks.map(({ number, hash }) => ({ number, hash }))];
    const kept = recent.slice(-(limits.chainCursorHashesMax - 1));
    const end = tip === undefined ? {} : { tip };
    return { kind: 'facts', facts, position, reorg: this.#place.reorg, recent: kept, ...end };
  }

  /** The oldest reorg not handled yet at a place, as a step. */
  #undoNext(place: Place): Step | undefined {
    const { tracker, recentFacts, chain } = this.#options;
    if (tracker.newestReorg === place.reorg) return undefined;
    const reorgs = recentFacts.reorgsAfter(chain, place.reorg);
    if (reorgs === undefined) throw lostCursor();
    const reorg = reorgs[0];
    return reorg === undefined ? undefined : this.#backward(reorg, place);
  }

  #backward(reorg: Reorg, { position, recent }: Place): Step {
    const removed = reorg.removed.filter((block) => this.#isResuming || block.number <= position);
    return {
      kind: 'removed',
      facts: removed.flatMap((block) => block.facts.toReversed()),
      position: Math.min(position, reorg.fork),
      reorg: reorg.id,
      recent: recent.filter((block) => block.number <= reorg.fork),
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
    this.#place = placeOf(step);
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

function placeOf({ position, reorg, recent }: Step): Place {
  return { position, reorg, recent };
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

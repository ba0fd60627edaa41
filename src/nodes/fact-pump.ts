import type { ChainFact } from '../core/chain-fact.ts';
import { errorMessage, PouwError } from '../core/errors.ts';
import type { Chain, ChainCursor } from '../ports/chain.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cursors } from '../ports/effect-journal.ts';
import type { Subscription } from '../ports/event-store.ts';
import type { Log } from '../ports/log.ts';
import { readCursor } from './saved-cursor.ts';

/** Somebody who wants the chain's facts. Facts may come more than once: handling must be idempotent. */
export interface FactReader {
  /** Facts that hold, in chain order. */
  onFacts(facts: readonly ChainFact[]): Promise<void>;
  /** Facts that a reorg has taken back, newest first. */
  onRemoved(facts: readonly ChainFact[]): Promise<void>;
  /** Aborted once the reader is gone; one without it stays as long as the pump. */
  readonly stopping?: AbortSignal;
}

/** What a pump stands on. */
export interface FactPumpOptions {
  readonly chain: Pick<Chain, 'follow'>;
  readonly cursors: Cursors;
  readonly clock: Clock;
  readonly log: Log;
  /** The cursor's name; one per process. */
  readonly name: string;
  readonly readers: readonly FactReader[];
  /** Told when the chain cannot be reached, and when it can again. */
  readonly onOutage?: (state: 'down' | 'up') => void;
  /** Told where no more facts will come, and why. */
  readonly onLost?: (error: unknown) => void;
  /** Told of the chain's newest block, also where it has no facts. */
  readonly onHead?: (block: number) => void;
}

/** First pause before a reader that failed gets the same facts again. */
const retryMs = 100;
const retryMaxMs = 5_000;

/**
 * Reads the chain once per process and hands every fact to every reader, at least once: the cursor moves
 * on only when all of them have taken what was before it. A reader that has gone holds up nobody: the others
 * read on, and the cursor stays where it was, so that it finds at the next start what it has missed.
 */
export async function startFactPump(options: FactPumpOptions): Promise<Subscription> {
  const { chain, cursors, clock, log, name, readers } = options;
  const stop = new AbortController();
  const saved = await cursors.load(name);
  const start = saved === undefined ? undefined : readCursor(saved, name);

  let isAnyGone = false;
  const deliver = async (hand: (reader: FactReader) => Promise<void>): Promise<void> => {
    await Promise.all(readers.map((reader) => untilTaken(reader, hand)));
  };
  const untilTaken = async (reader: FactReader, hand: (reader: FactReader) => Promise<void>): Promise<void> => {
    for (let pauseMs = retryMs; !isGone(reader); pauseMs = Math.min(pauseMs * 2, retryMaxMs)) {
      try {
        await hand(reader);
        return;
      } catch (error) {
        if (stop.signal.aborted) throw error;
        if (isGone(reader)) break;
        log.warn('a node could not take facts of the chain', { error: errorMessage(error), retryInMs: pauseMs });
        await clock.sleep(pauseMs, stop.signal);
      }
    }
    isAnyGone = true;
  };
  const save = async (cursor: ChainCursor): Promise<void> => {
    if (!isAnyGone) await cursors.save(name, JSON.stringify(cursor));
  };

  const subscription = chain.follow(start, {
    async onFacts(facts, cursor) {
      if (facts.length > 0) await deliver((reader) => reader.onFacts(facts));
      await save(cursor);
    },
    async onRemoved(facts, cursor) {
      if (facts.length > 0) await deliver((reader) => reader.onRemoved(facts));
      await save(cursor);
    },
    onProgress({ head }) {
      options.onHead?.(head);
    },
    onLost: (error) => options.onLost?.(error),
    onOutage(state, reason) {
      options.onOutage?.(state);
      if (state === 'down') log.warn('the chain cannot be reached', { reason });
      else log.info('the chain answers again', { reason });
    },
  });
  return {
    async close() {
      stop.abort(new PouwError('node_stopping', 'The node stops.', { class: 'unavailable' }));
      await subscription.close();
    },
  };
}

function isGone({ stopping }: FactReader): boolean {
  return stopping?.aborted === true;
}

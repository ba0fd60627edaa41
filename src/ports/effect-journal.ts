import type { EffectId, StreamId } from '../core/ids.ts';

/**
 * Which effects are done. An effect that is not marked is carried out again after a crash, under the same
 * id; marking may therefore lag behind doing, never run ahead of it.
 */
export interface EffectJournal {
  /** The effects of a stream that are done although an earlier version has some that are not. */
  done(stream: StreamId): Promise<{
    /** Every effect of versions up to and including this one is done. */
    readonly watermark: number;
    /** Done effects of later versions. */
    readonly ids: ReadonlySet<EffectId>;
  }>;
  /** Marks one effect as done. */
  markDone(id: EffectId): Promise<void>;
  /** Says that all effects up to `version` are done; forgets their ids. */
  advance(stream: StreamId, version: number): Promise<void>;
  /** The streams whose watermark may be behind their head: those to wake at start. */
  unfinished(): Promise<readonly StreamId[]>;
}

/** Small durable facts of a node that are not events: how far it has read the chain, for one. */
export interface Cursors {
  load(name: string): Promise<string | undefined>;
  save(name: string, value: string): Promise<void>;
}

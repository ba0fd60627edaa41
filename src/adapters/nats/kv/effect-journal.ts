import { PouwError } from '../../../core/errors.ts';
import type { StreamId } from '../../../core/ids.ts';
import { limits } from '../../../core/limits.ts';
import type { EffectJournal } from '../../../ports/effect-journal.ts';
import type { EventStore } from '../../../ports/event-store.ts';
import { Bucket, type BucketOptions } from './bucket.ts';
import { DoneMarks, parseEffectId } from './done-marks.ts';

/** How to open the effect journal on NATS. */
export interface NatsEffectJournalOptions extends BucketOptions {
  /** The log the effects belong to. */
  readonly events: Pick<EventStore, 'head' | 'heads'>;
  /** The streams to wake at start, where they are not those of the whole log. */
  readonly streams?: readonly StreamId[];
}

/** A journal that ends its use of the connection. */
export interface NatsEffectJournal extends EffectJournal {
  /** Resolves when every mark so far is kept, or has failed to be. */
  flush(): Promise<void>;
  close(): void;
}

/** Marks that go into the bucket with one write, and who waits for that. */
interface Batch {
  readonly marks: DoneMarks;
  readonly written: PromiseWithResolvers<undefined>;
}

/** What this process knows of one stream's entry. */
interface Entry {
  /** What was read or written last; undefined where it must be read. */
  kept: { readonly marks: DoneMarks; readonly revision: number } | undefined;
  /** The batch that is being written. */
  writing: Batch | undefined;
  /** The batch that waits for it. */
  waiting: Batch | undefined;
}

/**
 * Opens the journal of the network: the bucket `done`, in which the next owner of a stream finds what the one before
 * has done. There is one write per stream under way; marks that come meanwhile share the next one.
 *
 * @throws PouwError `nats_unreachable`, `nats_config_ignored`.
 */
export async function openNatsEffectJournal(options: NatsEffectJournalOptions): Promise<NatsEffectJournal> {
  return new JournalInBucket(await Bucket.open('done', options), options);
}

class JournalInBucket implements NatsEffectJournal {
  readonly #bucket: Bucket;
  readonly #options: Pick<NatsEffectJournalOptions, 'events' | 'streams'>;
  /** The streams marked last, the one marked longest ago first. */
  readonly #entries = new Map<StreamId, Entry>();

  constructor(bucket: Bucket, options: Pick<NatsEffectJournalOptions, 'events' | 'streams'>) {
    this.#bucket = bucket;
    this.#options = options;
  }

  async done(stream: StreamId): ReturnType<EffectJournal['done']> {
    const marks = DoneMarks.fromText((await this.#bucket.get(stream)).value);
    // Replicas lag, and so do writes; what this process has marked was done all the same.
    const entry = this.#entries.get(stream);
    for (const own of [entry?.kept?.marks, entry?.writing?.marks, entry?.waiting?.marks]) if (own) marks.add(own);
    return { watermark: marks.watermark, ids: marks.ids(stream) };
  }

  /** @throws PouwError `journal_full` where too many effects are done behind one that is not. */
  async markDone(id: Parameters<EffectJournal['markDone']>[0]): Promise<void> {
    const { stream, version, n } = parseEffectId(id);
    await this.#write(stream, (marks) => marks.mark(version, n));
  }

  async advance(stream: StreamId, version: number): Promise<void> {
    await this.#write(stream, (marks) => marks.advance(version));
  }

  async unfinished(): Promise<readonly StreamId[]> {
    const unfinished: StreamId[] = [];
    if (this.#options.streams !== undefined) {
      for (const stream of this.#options.streams) {
        const head = await this.#options.events.head(stream);
        if ((head?.version ?? 0) > (await this.done(stream)).watermark) unfinished.push(stream);
      }
      return unfinished;
    }
    await this.flush();
    const entries = await this.#bucket.entries('*.*');
    const watermarks = new Map(entries.map(({ key, value }) => [key, DoneMarks.fromText(value).watermark]));
    for await (const { stream, version } of this.#options.events.heads()) {
      if (version > (watermarks.get(stream) ?? 0)) unfinished.push(stream);
    }
    return unfinished;
  }

  async flush(): Promise<void> {
    const written = [...this.#entries.values()].flatMap(({ writing, waiting }) => [writing, waiting]);
    const promises = written.filter((batch) => batch !== undefined).map((batch) => batch.written.promise);
    await Promise.allSettled(promises);
  }

  close(): void {
    this.#bucket.close();
  }

  /** Changes what is marked; resolves when that is kept. */
  #write(stream: StreamId, change: (marks: DoneMarks) => void): Promise<void> {
    const entry = this.#entryOf(stream);
    entry.waiting ??= { marks: new DoneMarks(), written: Promise.withResolvers<undefined>() };
    change(entry.waiting.marks);
    const { promise } = entry.waiting.written;
    if (entry.writing === undefined) void this.#writeAll(stream, entry);
    return promise;
  }

  async #writeAll(stream: StreamId, entry: Entry): Promise<void> {
    for (let batch = entry.waiting; batch !== undefined; batch = entry.waiting) {
      entry.writing = batch;
      // Whatever is marked in this turn of the event loop goes along.
      await Promise.resolve();
      entry.waiting = undefined;
      try {
        await this.#writeBatch(stream, entry, batch.marks);
        batch.written.resolve(undefined);
      } catch (error) {
        entry.kept = undefined;
        batch.written.reject(error);
      }
      entry.writing = undefined;
    }
  }

  async #writeBatch(stream: StreamId, entry: Entry, marks: DoneMarks): Promise<void> {
    for (let tries = 0; tries < limits.conflictRetriesMax; tries++) {
      entry.kept ??= await this.#read(stream);
      const all = new DoneMarks();
      all.add(entry.kept.marks);
      all.add(marks);
      if (all.count > limits.journalDoneMax) throw journalFull(stream, all.watermark);
      const revision = await this.#bucket.swap(stream, all.toText(), entry.kept.revision);
      entry.kept = revision === undefined ? undefined : { marks: all, revision };
      if (revision !== undefined) return;
    }
    throw new PouwError('journal_busy', `The journal of ${stream} is written to by many at a time.`, {
      class: 'busy',
      hint: 'See to it that one node at a time works on a stream: the owner of its lease.',
      details: { stream },
    });
  }

  async #read(stream: StreamId): Promise<NonNullable<Entry['kept']>> {
    const { value, revision } = await this.#bucket.get(stream);
    return { marks: DoneMarks.fromText(value), revision };
  }

  #entryOf(stream: StreamId): Entry {
    const entry = this.#entries.get(stream) ?? { kept: undefined, writing: undefined, waiting: undefined };
    this.#entries.delete(stream);
    this.#entries.set(stream, entry);
    if (this.#entries.size > limits.storeHeadsCachedMax) {
      for (const [oldest, { writing }] of this.#entries) {
        if (writing !== undefined || oldest === stream) continue;
        this.#entries.delete(oldest);
        break;
      }
    }
    return entry;
  }
}

function journalFull(stream: StreamId, watermark: number): PouwError {
  return new PouwError(
    'journal_full',
    `More than ${limits.journalDoneMax} effects of ${stream} are done out of order.`,
    {
      class: 'busy',
      why: `An effect of version ${watermark + 1} is not done, so none of those behind it can be forgotten.`,
      hint: 'Find out why that effect fails: the log of the node says it.',
      details: { stream, watermark },
    },
  );
}

import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Commit } from '../../src/core/commit.ts';

/** An event of a log and the stream it is in. */
export interface Logged {
  readonly stream: string;
  readonly event: Commit['events'][number];
}

/** Reads the log of a data directory from outside, by its database, while a network writes it. */
export interface LogWatch {
  /** The events after the last ones that were read. */
  next(): readonly Logged[];
  /** Resolves a moment after the first event that fits is in the log. */
  until(fits: (logged: Logged) => boolean): Promise<Logged>;
  close(): void;
}

const lookEveryMs = 2;
const withinMs = 60_000;

/** Reads a log from its beginning, or from its present end on. */
export function watchLog(data: string, from: 'beginning' | 'end'): LogWatch {
  const database = new DatabaseSync(join(data, 'log.sqlite'), { readOnly: true });
  const newest = database.prepare('SELECT MAX(position) AS newest FROM commits');
  const after = database.prepare('SELECT position, body FROM commits WHERE position > ? ORDER BY position');
  let position = from === 'end' ? Number(newest.get()?.['newest'] ?? 0) : -1;
  const next = (): Logged[] =>
    after.all(position).flatMap((row) => {
      position = Number(row['position']);
      const { stream, events } = JSON.parse(String(row['body'])) as Commit;
      return events.map((event) => ({ stream, event }));
    });
  return {
    next,
    until: async (fits) => {
      const giveUpAt = performance.now() + withinMs;
      while (performance.now() < giveUpAt) {
        const found = next().find(fits);
        if (found !== undefined) return found;
        await sleep(lookEveryMs);
      }
      throw new Error('the event that was waited for did not come');
    },
    close: () => database.close(),
  };
}

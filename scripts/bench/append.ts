import { join } from 'node:path';
import { openLocalStores } from '../../src/adapters/local/local-stores.ts';
import type { Commit } from '../../src/core/commit.ts';
import type { Figure, FigureOptions, FigureResult } from './figure.ts';
import { compared, interleave, perSecond } from './interleave.ts';
import { RawSqlite } from './raw-sqlite.ts';
import { benchStream, sealHistory, sessionHistory } from './session-log.ts';

/** How fast the event store takes commits. */
export const append: Figure = {
  name: 'append',
  title: 'commits appended per second: compare-and-swap, durable before the promise resolves',
  run: measure,
};

const inFlight = 100;

async function measure({ quick, scratch, onStep }: FigureOptions): Promise<FigureResult> {
  const rounds = quick ? 2 : 15;
  const alone = quick ? 50 : 300;
  const together = quick ? 400 : 3_000;
  const stores = openLocalStores({ path: join(scratch, 'store.sqlite') });
  const raw = new RawSqlite(join(scratch, 'raw.sqlite'));
  let stream = 0;
  /** Commits of a fresh stream, signed before the clock runs. */
  const fresh = (count: number): Commit[] => {
    stream += 1;
    return sealHistory(benchStream(stream), sessionHistory(stream, Math.ceil(count / 15))).slice(0, count);
  };
  const bodies = (count: number): string[] => fresh(count).map((commit) => JSON.stringify(commit));
  try {
    const samples = await interleave(rounds, {
      ours: async (round) => {
        onStep(`round ${round}`);
        const commits = fresh(alone);
        return perSecond(alone, async () => {
          for (const commit of commits) await stores.events.append(commit);
        });
      },
      raw: async () => {
        const texts = bodies(alone);
        return perSecond(alone, () => texts.forEach((text) => raw.append([text])));
      },
      oursTogether: async () => {
        const streams = Array.from({ length: inFlight }, () => fresh(together / inFlight));
        return perSecond(together, async () => {
          await Promise.all(
            streams.map(async (commits) => {
              for (const commit of commits) await stores.events.append(commit);
            }),
          );
        });
      },
      rawTogether: async () => {
        const texts = bodies(together);
        return perSecond(together, () => {
          for (let from = 0; from < texts.length; from += inFlight) raw.append(texts.slice(from, from + inFlight));
        });
      },
    });
    return {
      rows: [
        compared(
          {
            what: 'append, one after another',
            unit: 'commits/s',
            against: 'node:sqlite, WAL, FULL, a transaction each',
          },
          samples.ours,
          samples.raw,
        ),
        compared(
          {
            what: `append, ${inFlight} in flight`,
            unit: 'commits/s',
            against: `node:sqlite, WAL, FULL, a transaction per ${inFlight}`,
          },
          samples.oursTogether,
          samples.rawTogether,
        ),
      ],
      notes: ['Raw inserts a finished text; ours also checks version and previous hash and writes canonical JSON.'],
    };
  } finally {
    await stores.close();
    raw.close();
  }
}

import { assert } from '../../core/assert.ts';
import { type EffectId, effectId, type StreamId } from '../../core/ids.ts';
import type { EffectJournal } from '../../ports/effect-journal.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

const effectIdPattern = /^(.+):([1-9]\d*):(\d+)$/;

/**
 * The effect journal in the node's database. Marks lag: they become durable with the next commit of the log,
 * at the latest after `limits.storeLagMsMax`, so that they cost no flush of their own.
 */
export function createSqliteEffectJournal(database: SqliteDatabase): EffectJournal {
  const { connection, writes } = database;
  const selectWatermark = connection.prepare('SELECT version FROM effect_watermarks WHERE stream = ?', {
    returnArrays: true,
  });
  const selectDone = connection.prepare('SELECT version, n FROM effects_done WHERE stream = ? AND version > ?', {
    returnArrays: true,
  });
  const insertDone = connection.prepare('INSERT OR IGNORE INTO effects_done (stream, version, n) VALUES (?, ?, ?)');
  const raiseWatermark = connection.prepare(
    'INSERT INTO effect_watermarks (stream, version) VALUES (?, ?) ON CONFLICT DO UPDATE SET version = max(version, excluded.version)',
  );
  const forgetDone = connection.prepare('DELETE FROM effects_done WHERE stream = ? AND version <= ?');
  const selectUnfinished = connection.prepare(
    `SELECT s.name FROM streams s LEFT JOIN effect_watermarks w ON w.stream = s.name
     WHERE (SELECT max(version) FROM commits WHERE stream = s.id) > coalesce(w.version, 0) ORDER BY s.name`,
    { returnArrays: true },
  );
  return {
    done: async (stream) =>
      database.reading(() => {
        const row = selectWatermark.get(stream) as unknown as [number] | undefined;
        const watermark = row?.[0] ?? 0;
        const done = selectDone.all(stream, watermark) as unknown as [number, number][];
        return { watermark, ids: new Set(done.map(([version, n]) => effectId(stream, version, n))) };
      }),
    markDone: async (id) => {
      const { stream, version, n } = parseEffectId(id);
      writes.writeLagging(() => insertDone.run(stream, version, n));
    },
    advance: async (stream, version) => {
      writes.writeLagging(() => {
        raiseWatermark.run(stream, version);
        forgetDone.run(stream, version);
      });
    },
    unfinished: async () =>
      database.reading(() => (selectUnfinished.all() as unknown as [StreamId][]).map(([stream]) => stream)),
  };
}

function parseEffectId(id: EffectId): { stream: string; version: number; n: number } {
  const [, stream, version, n] = effectIdPattern.exec(id) ?? [];
  assert(stream !== undefined && version !== undefined && n !== undefined, `not an effect id: ${id}`);
  return { stream, version: Number(version), n: Number(n) };
}

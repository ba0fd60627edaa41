import { assert } from '../../core/assert.ts';
import { limits } from '../../core/limits.ts';
import type { Cursors } from '../../ports/effect-journal.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/** Cursors in the node's database; a save is durable when its promise resolves. */
export function createSqliteCursors(database: SqliteDatabase): Cursors {
  const select = database.connection.prepare('SELECT value FROM cursors WHERE name = ?', { returnArrays: true });
  const upsert = database.connection.prepare('INSERT OR REPLACE INTO cursors (name, value) VALUES (?, ?)');
  return {
    load: async (name) => {
      const row = database.reading(() => select.get(name)) as unknown as [string] | undefined;
      return row?.[0];
    },
    save: async (name, value) => {
      assert(value.length <= limits.cursorCharsMax, `a cursor has at most ${limits.cursorCharsMax} characters`);
      await database.writes.write(() => upsert.run(name, value));
    },
  };
}

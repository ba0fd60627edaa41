import type { DatabaseSync } from 'node:sqlite';
import { limits } from '../../core/limits.ts';
import type { Hex } from '../../core/hash.ts';
import type { ChainFact } from '../../ports/chain.ts';
import { noRoom } from '../sqlite/no-room.ts';
import { rowList } from './row-list.ts';

/** The facts of one block. */
export interface FactBlock {
  readonly number: number;
  readonly hash: Hex;
  readonly facts: readonly ChainFact[];
}

/** A reorg that was noticed: which reported blocks it has removed. */
export interface Reorg {
  /** 1 for the first one of a chain, then one more each. */
  readonly id: number;
  /** The newest block that old and new chain share, as far as is known. */
  readonly fork: number;
  /** Newest first. */
  readonly removed: readonly FactBlock[];
}

/**
 * The facts of recent blocks and of those that recent reorgs removed. A node forgets what a reorg has
 * removed; a follower that was down at that time must still be told. Bounded by `limits.chainWindowBlocksMax`
 * and `limits.chainReorgsKept`; `chain` is {@link Connection.chain}.
 */
export interface RecentFacts {
  /** The remembered blocks, oldest first. */
  blocks(chain: Hex): readonly FactBlock[];
  /** Adds blocks at the end; durable when it resolves. */
  append(chain: Hex, blocks: readonly FactBlock[]): Promise<void>;
  /** Moves every block above `fork` into a new reorg and returns it, in one step; durable when it resolves. */
  rewind(chain: Hex, fork: number): Promise<Reorg>;
  /** The reorgs after `id`, oldest first; undefined where some of them are forgotten. */
  reorgsAfter(chain: Hex, id: number): readonly Reorg[] | undefined;
  /** The id of the newest reorg, 0 where there was none. */
  newestReorg(chain: Hex): number;
}

/** The tables of recent facts. */
export const recentFactsSchema = `
  CREATE TABLE fact_block (
    chain TEXT NOT NULL,
    number INTEGER NOT NULL,
    hash TEXT NOT NULL,
    facts TEXT NOT NULL,
    PRIMARY KEY (chain, number)
  );
  CREATE TABLE reorg (
    chain TEXT NOT NULL,
    id INTEGER NOT NULL,
    fork INTEGER NOT NULL,
    removed TEXT NOT NULL,
    PRIMARY KEY (chain, id)
  );`;

/** Recent facts in an open database that has {@link recentFactsSchema}; `durable` makes what was committed so. */
export function createRecentFacts(database: DatabaseSync, durable: () => Promise<void>): RecentFacts {
  const all = database.prepare('SELECT number, hash, facts FROM fact_block WHERE chain = ? ORDER BY number');
  const add = database.prepare('INSERT INTO fact_block (chain, number, hash, facts) VALUES (?, ?, ?, ?)');
  const forgetOld = database.prepare(
    `DELETE FROM fact_block WHERE chain = ?1 AND number <
       (SELECT number FROM fact_block WHERE chain = ?1 ORDER BY number DESC LIMIT 1 OFFSET ${limits.chainWindowBlocksMax - 1})`,
  );
  const above = database.prepare(
    'SELECT number, hash, facts FROM fact_block WHERE chain = ? AND number > ? ORDER BY number DESC',
  );
  const cut = database.prepare('DELETE FROM fact_block WHERE chain = ? AND number > ?');
  const newest = database.prepare('SELECT COALESCE(MAX(id), 0) AS id FROM reorg WHERE chain = ?');
  const addReorg = database.prepare('INSERT INTO reorg (chain, id, fork, removed) VALUES (?, ?, ?, ?)');
  const forgetReorgs = database.prepare('DELETE FROM reorg WHERE chain = ? AND id <= ?');
  const after = database.prepare('SELECT id, fork, removed FROM reorg WHERE chain = ? AND id > ? ORDER BY id');
  const newestReorg = (chain: Hex): number => Number(newest.get(chain)?.['id'] ?? 0);
  return {
    blocks: (chain) => all.all(chain).map(toBlock),
    append: async (chain, blocks) => {
      if (blocks.length === 0) return;
      inTransaction(database, () => {
        for (const block of blocks) add.run(chain, block.number, block.hash, JSON.stringify(block.facts));
        forgetOld.run(chain);
      });
      await durable();
    },
    rewind: async (chain, fork) => {
      const made = inTransaction(database, () => {
        const reorg: Reorg = { id: newestReorg(chain) + 1, fork, removed: above.all(chain, fork).map(toBlock) };
        cut.run(chain, fork);
        addReorg.run(chain, reorg.id, fork, JSON.stringify(reorg.removed));
        forgetReorgs.run(chain, reorg.id - limits.chainReorgsKept);
        return reorg;
      });
      await durable();
      return made;
    },
    reorgsAfter: (chain, id) => {
      const reorgs = after.all(chain, id).map(toReorg);
      return reorgs.length === newestReorg(chain) - id ? reorgs : undefined;
    },
    newestReorg,
  };
}

function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    database.exec('ROLLBACK');
    throw noRoom('the facts of recent blocks', error) ?? error;
  }
}

function toBlock(row: Record<string, unknown>): FactBlock {
  return {
    number: Number(row['number']),
    hash: row['hash'] as Hex,
    facts: rowList<ChainFact>(row['facts'], has('type')),
  };
}

function toReorg(row: Record<string, unknown>): Reorg {
  return {
    id: Number(row['id']),
    fork: Number(row['fork']),
    removed: rowList<FactBlock>(row['removed'], has('facts')),
  };
}

/** Whether something is an object that has a key. */
function has(key: string): (item: unknown) => boolean {
  return (item) => typeof item === 'object' && item !== null && key in item;
}

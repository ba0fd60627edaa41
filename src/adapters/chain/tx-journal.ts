import type { DatabaseSync } from 'node:sqlite';
import type { Hex } from '../../core/hash.ts';
import type { Address } from '../../core/ids.ts';
import { type LogMark, parseLogMark } from '../../core/log-mark.ts';
import { noRoom } from '../sqlite/no-room.ts';
import { rowList } from './row-list.ts';

/** A signed transaction as it was, or will be, broadcast: always these very bytes, unless it is replaced for a higher fee. */
export interface JournalTx {
  /** keccak-256 of the effect id. */
  readonly effect: Hex;
  readonly account: Address;
  readonly nonce: number;
  readonly raw: Hex;
  readonly hash: Hex;
  /** The hashes under which it was broadcast with lower fees, oldest first: any of them may be the one that is mined. */
  readonly earlier: readonly Hex[];
}

/** A transaction before it was ever replaced. */
export type NewTx = Omit<JournalTx, 'earlier'>;

/**
 * The write-ahead journal of signed transactions. A transaction is written before it is broadcast, so a
 * crash at any moment leads to the same bytes being broadcast again: one nonce, one hash, one execution.
 * What is forgotten may come back after a power failure: the chain says again that it is to be forgotten. `chain` is
 * {@link Connection.chain}: a journal never speaks of another chain.
 */
export interface TxJournal {
  /** The transaction that carries an effect. */
  find(chain: Hex, account: Address, effect: Hex): JournalTx | undefined;
  /** A transaction as it is written down now, by account and nonce. */
  at(chain: Hex, tx: Pick<JournalTx, 'account' | 'nonce'>): JournalTx | undefined;
  /** Adds a transaction, durably; its nonce and its effect must be free. Writes of one turn share a flush to the disk. */
  write(chain: Hex, tx: NewTx): Promise<JournalTx>;
  /**
   * Puts the same transaction with higher fees in the place of one, durably, before it is broadcast; the hash before is
   * kept. Of two that replace the same one the first wins.
   *
   * @returns what the journal has now; undefined where it has forgotten the transaction.
   */
  replace(chain: Hex, tx: JournalTx, by: Pick<JournalTx, 'raw' | 'hash'>): Promise<JournalTx | undefined>;
  /** Forgets a transaction that no node took, or whose nonce went to another: it can never execute. */
  drop(chain: Hex, tx: JournalTx): void;
  /** Keeps a transaction that reverted for its nonce, but frees its effect for another try. */
  release(chain: Hex, tx: JournalTx): void;
  /** The accounts that have sent something. */
  accounts(chain: Hex): readonly Address[];
  /** The transactions of an account from a nonce on, without gaps, with their place in the journal's total order. */
  run(chain: Hex, account: Address, fromNonce: number): readonly (JournalTx & { readonly order: number })[];
  /** How many nonces below `nonce` are known. */
  countBelow(chain: Hex, account: Address, nonce: number): number;
}

/** The journal's table. */
export const txJournalSchema = `
  CREATE TABLE tx (
    "order" INTEGER PRIMARY KEY AUTOINCREMENT,
    chain TEXT NOT NULL,
    account TEXT NOT NULL,
    nonce INTEGER NOT NULL,
    effect TEXT,
    raw TEXT NOT NULL,
    hash TEXT NOT NULL,
    UNIQUE (chain, account, nonce),
    UNIQUE (chain, account, effect)
  );`;

/** What {@link txJournalSchema} has more from the second version of the tables on: earlier hashes, as a JSON array. */
export const txEarlierSchema = "ALTER TABLE tx ADD COLUMN earlier TEXT NOT NULL DEFAULT '[]';";

/** From the third version on, what the log had when the newest transaction was written: one row at most. */
export const txLogMarkSchema =
  'CREATE TABLE log_mark (one INTEGER PRIMARY KEY CHECK (one = 1), position INTEGER NOT NULL, hash TEXT NOT NULL) STRICT;';

/** The {@link txLogMarkSchema} of an open database. */
export function readLogMark(database: DatabaseSync): LogMark | undefined {
  return parseLogMark(database.prepare('SELECT position, hash FROM log_mark').get());
}

/**
 * A journal in an open database that has {@link txJournalSchema}; `durable` makes what was committed so.
 *
 * @param logMark how far the log is on the disk, written down with each transaction.
 */
export function createTxJournal(
  database: DatabaseSync,
  durable: () => Promise<void>,
  logMark: () => LogMark | undefined,
): TxJournal {
  const columns = '"order", account, nonce, effect, raw, hash, earlier';
  const byEffect = database.prepare(`SELECT ${columns} FROM tx WHERE chain = ? AND account = ? AND effect = ?`);
  const insert = database.prepare(
    'INSERT INTO tx (chain, account, nonce, effect, raw, hash) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const byNonce = database.prepare(`SELECT ${columns} FROM tx WHERE chain = ? AND account = ? AND nonce = ?`);
  const supersede = database.prepare(
    'UPDATE tx SET raw = ?, hash = ?, earlier = ? WHERE chain = ? AND account = ? AND nonce = ? AND hash = ?',
  );
  const remove = database.prepare('DELETE FROM tx WHERE chain = ? AND account = ? AND nonce = ? AND hash = ?');
  const free = database.prepare(
    'UPDATE tx SET effect = NULL WHERE chain = ? AND account = ? AND nonce = ? AND hash = ?',
  );
  const senders = database.prepare('SELECT DISTINCT account FROM tx WHERE chain = ? ORDER BY account');
  const from = database.prepare(
    `SELECT ${columns} FROM tx WHERE chain = ? AND account = ? AND nonce >= ? ORDER BY nonce`,
  );
  const below = database.prepare('SELECT COUNT(*) AS known FROM tx WHERE chain = ? AND account = ? AND nonce < ?');
  const setMark = database.prepare('INSERT OR REPLACE INTO log_mark (one, position, hash) VALUES (1, ?, ?)');
  let marked: LogMark | undefined;
  const mark = (): void => {
    const now = logMark();
    if (now === undefined || now.position === marked?.position) return;
    setMark.run(now.position, now.hash);
    marked = now;
  };
  return {
    find: (chain, account, effect) => {
      const row = byEffect.get(chain, account, effect);
      return row === undefined ? undefined : toTx(row);
    },
    at: (chain, { account, nonce }) => {
      const row = byNonce.get(chain, account, nonce);
      return row === undefined ? undefined : toTx(row);
    },
    write: inGroups(database, durable, {
      write: (chain, tx) => void insert.run(chain, tx.account, tx.nonce, tx.effect, tx.raw, tx.hash),
      end: mark,
    }),
    replace: async (chain, tx, { raw, hash }) => {
      const earlier = JSON.stringify([...tx.earlier, tx.hash]);
      supersede.run(raw, hash, earlier, chain, tx.account, tx.nonce, tx.hash);
      await durable();
      const row = byNonce.get(chain, tx.account, tx.nonce);
      return row === undefined ? undefined : toTx(row);
    },
    drop: (chain, tx) => {
      remove.run(chain, tx.account, tx.nonce, tx.hash);
    },
    release: (chain, tx) => {
      free.run(chain, tx.account, tx.nonce, tx.hash);
    },
    accounts: (chain) => senders.all(chain).map((row) => row['account'] as Address),
    run: (chain, account, fromNonce) => {
      const rows = from.all(chain, account, fromNonce).map((row) => ({ ...toTx(row), order: Number(row['order']) }));
      const gap = rows.findIndex((row, index) => row.nonce !== fromNonce + index);
      return gap === -1 ? rows : rows.slice(0, gap);
    },
    countBelow: (chain, account, nonce) => Number(below.get(chain, account, nonce)?.['known'] ?? 0),
  };
}

/** What a group of writes is made of. */
interface GroupWork {
  readonly write: (chain: Hex, tx: NewTx) => void;
  /** Comes last, in the same transaction. */
  readonly end: () => void;
}

interface WaitingWrite {
  /** @returns what to do once the group is on the disk. */
  readonly run: () => () => void;
  readonly fail: (error: unknown) => void;
}

/**
 * Puts the writes of one turn of the event loop, and those that come during a flush, into one transaction: the miners
 * of a task send at the same time.
 */
function inGroups(database: DatabaseSync, durable: () => Promise<void>, work: GroupWork): TxJournal['write'] {
  let waiting: WaitingWrite[] = [];
  let isBusy = false;
  const commitAll = async (): Promise<void> => {
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      try {
        const settled = commitGroup(database, group, work.end);
        await durable();
        for (const settle of settled) settle();
      } catch (error) {
        for (const { fail } of group) fail(error);
      }
    }
    isBusy = false;
  };
  return (chain, tx) =>
    new Promise((resolve, reject) => {
      const run = (): (() => void) => {
        try {
          work.write(chain, tx);
          return () => resolve({ ...tx, earlier: [] });
        } catch (error) {
          // For want of room SQLite undoes the whole transaction.
          if (!database.isTransaction) throw error;
          // A nonce or an effect that is taken undoes this row only; the others of the group stand.
          return () => reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      waiting.push({ run, fail: reject });
      if (isBusy) return;
      isBusy = true;
      setImmediate(() => void commitAll());
    });
}

function commitGroup(database: DatabaseSync, group: readonly WaitingWrite[], end: () => void): (() => void)[] {
  try {
    database.exec('BEGIN IMMEDIATE');
    const settled = group.map(({ run }) => run());
    end();
    database.exec('COMMIT');
    return settled;
  } catch (error) {
    if (database.isOpen && database.isTransaction) database.exec('ROLLBACK');
    throw noRoom('the journal of transactions', error) ?? error;
  }
}

function toTx(row: Record<string, unknown>): JournalTx {
  return {
    effect: (row['effect'] ?? '0x') as Hex,
    account: row['account'] as Address,
    nonce: Number(row['nonce']),
    raw: row['raw'] as Hex,
    hash: row['hash'] as Hex,
    earlier: rowList<Hex>(row['earlier'], (item) => typeof item === 'string'),
  };
}

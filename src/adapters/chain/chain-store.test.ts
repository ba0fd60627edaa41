import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Hex, keccak256 } from '../../core/hash.ts';
import { toAddress } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import type { ChainFact } from '../../ports/chain.ts';
import { type ChainStore, openChainStore } from './chain-store.ts';
import { type FactBlock, recentFactsSchema } from './recent-facts.ts';
import { type JournalTx, txJournalSchema } from './tx-journal.ts';

const chain = keccak256('a chain');
const otherChain = keccak256('another chain');
const alice = toAddress(`0x${'a1'.repeat(20)}`);
const bob = toAddress(`0x${'b0'.repeat(20)}`);
let folder: string;
let file: string;
let store: ChainStore;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pouw-test-'));
  file = join(folder, 'chain', 'tx.sqlite');
  store = openChainStore(file);
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true });
});

function reopen(): void {
  store.close();
  store = openChainStore(file);
}

function tx(account: JournalTx['account'], nonce: number): JournalTx {
  const name = `${account}-${nonce}`;
  const bytes = { raw: keccak256(`r ${name}`), hash: keccak256(`h ${name}`) };
  return { account, nonce, effect: keccak256(`e ${name}`), ...bytes, earlier: [] };
}

describe('the journal', () => {
  test('keeps every hash under which a transaction was broadcast, and replaces the newest only', async () => {
    const first = await store.journal.write(chain, tx(alice, 0));
    const second = { raw: keccak256('raw 2'), hash: keccak256('hash 2') };
    const replaced = await store.journal.replace(chain, first, second);
    expect(replaced).toEqual({ ...first, ...second, earlier: [first.hash] });
    // Somebody who still has the first one in hand comes too late: what is there is told.
    const late = { raw: keccak256('raw 3'), hash: keccak256('hash 3') };
    expect(await store.journal.replace(chain, first, late)).toEqual(replaced);
    const third = await store.journal.replace(chain, replaced ?? first, late);
    reopen();
    expect(store.journal.find(chain, alice, first.effect)).toEqual(third);
    expect(third?.earlier).toEqual([first.hash, second.hash]);
    store.journal.drop(chain, first);
    expect(store.journal.at(chain, first)).toEqual(third);
    store.journal.drop(chain, third ?? first);
    expect(store.journal.at(chain, first)).toBeUndefined();
    expect(await store.journal.replace(chain, first, second)).toBeUndefined();
  });

  test('of the version before is read on: none of its transactions was replaced', async () => {
    const { earlier, ...old } = tx(alice, 0);
    const before = join(folder, 'before.sqlite');
    const database = new DatabaseSync(before);
    database.exec(`${txJournalSchema} ${recentFactsSchema} PRAGMA user_version = 1;`);
    database
      .prepare('INSERT INTO tx (chain, account, nonce, effect, raw, hash) VALUES (?, ?, ?, ?, ?, ?)')
      .run(chain, old.account, old.nonce, old.effect, old.raw, old.hash);
    database.close();
    const opened = openChainStore(before);
    expect(opened.journal.find(chain, alice, old.effect)).toEqual({ ...old, earlier });
    opened.close();
  });

  test('says what the log had when the newest transaction was written, and nothing before', async () => {
    const marks = [1, 2].map((position) => ({ position, hash: 'b'.repeat(64) }));
    const beside = join(folder, 'beside.sqlite');
    const opened = openChainStore(beside, () => marks[0]);
    expect(opened.logMark).toBeUndefined();
    const [first] = marks;
    await opened.journal.write(chain, tx(alice, 0));
    marks.shift();
    opened.close();
    const again = openChainStore(beside, () => marks[0]);
    expect(again.logMark).toEqual(first);
    await again.journal.write(chain, tx(alice, 1));
    again.close();
    const last = openChainStore(beside);
    expect(last.logMark).toEqual(marks[0]);
    last.close();
  });

  test('finds a transaction by its effect, on its chain only, also after a restart', async () => {
    await store.journal.write(chain, tx(alice, 0));
    reopen();
    expect(store.journal.find(chain, alice, tx(alice, 0).effect)).toEqual(tx(alice, 0));
    expect(store.journal.find(otherChain, alice, tx(alice, 0).effect)).toBeUndefined();
    expect(store.journal.find(chain, bob, tx(alice, 0).effect)).toBeUndefined();
  });

  test('gives the transactions from a nonce up to the first gap, in the order of all accounts', async () => {
    for (const written of [tx(alice, 0), tx(bob, 7), tx(alice, 1), tx(alice, 3)])
      await store.journal.write(chain, written);
    expect(store.journal.run(chain, alice, 0).map(({ nonce, order }) => [nonce, order])).toEqual([
      [0, 1],
      [1, 3],
    ]);
    expect(store.journal.run(chain, alice, 2)).toEqual([]);
    expect(store.journal.run(chain, bob, 7).map(({ order }) => order)).toEqual([2]);
    expect(store.journal.accounts(chain)).toEqual([alice, bob]);
    expect(store.journal.countBelow(chain, alice, 3)).toBe(2);
  });

  test('refuses a second transaction of a nonce or of an effect', async () => {
    await store.journal.write(chain, tx(alice, 0));
    await expect(store.journal.write(chain, { ...tx(alice, 1), nonce: 0 })).rejects.toThrow('UNIQUE');
    await expect(store.journal.write(chain, { ...tx(alice, 1), effect: tx(alice, 0).effect })).rejects.toThrow(
      'UNIQUE',
    );
  });

  test('keeps the others of a group in which one is refused', async () => {
    const rival = store.journal.write(chain, { ...tx(bob, 1), nonce: 0 });
    const [refused, ...written] = await Promise.allSettled([
      store.journal.write(chain, tx(bob, 0)),
      store.journal.write(chain, tx(alice, 0)),
      store.journal.write(chain, tx(alice, 1)),
      rival,
    ]);
    expect(refused.status).toBe('rejected');
    expect(written.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled']);
    reopen();
    expect(store.journal.run(chain, alice, 0).map(({ nonce }) => nonce)).toEqual([0, 1]);
    expect(store.journal.run(chain, bob, 0).map(({ effect }) => effect)).toEqual([tx(bob, 1).effect]);
  });

  test('fails the writes that wait when it is closed', async () => {
    const write = store.journal.write(chain, tx(alice, 0));
    reopen();
    await expect(write).rejects.toThrow('not open');
    expect(store.journal.find(chain, alice, tx(alice, 0).effect)).toBeUndefined();
  });

  test('frees nonce and effect of a dropped transaction, but only the effect of a released one', async () => {
    await store.journal.write(chain, tx(alice, 0));
    await store.journal.write(chain, tx(alice, 1));
    store.journal.drop(chain, tx(alice, 0));
    store.journal.release(chain, tx(alice, 1));
    await store.journal.write(chain, tx(alice, 0));
    await store.journal.write(chain, { ...tx(alice, 2), effect: tx(alice, 1).effect });
    expect(store.journal.run(chain, alice, 0).map(({ nonce }) => nonce)).toEqual([0, 1, 2]);
    expect(store.journal.find(chain, alice, tx(alice, 1).effect)?.nonce).toBe(2);
  });
});

function block(number: number): FactBlock {
  const hash: Hex = keccak256(`block ${number}`);
  const place = { block: number, blockHash: hash, blockAt: number * 1_000, txHash: hash, logIndex: 0 };
  return { number, hash, facts: [{ type: 'SessionDraining', session: '1-00000000-1', place } as ChainFact] };
}

describe('recent facts', () => {
  test('are there after a restart, of their chain only', async () => {
    await store.recentFacts.append(chain, [block(1), block(4)]);
    reopen();
    expect(store.recentFacts.blocks(chain)).toEqual([block(1), block(4)]);
    expect(store.recentFacts.blocks(otherChain)).toEqual([]);
  });

  test('that a reorg removed are kept under its number, newest first', async () => {
    await store.recentFacts.append(chain, [block(1), block(4), block(5)]);
    expect(await store.recentFacts.rewind(chain, 1)).toEqual({ id: 1, fork: 1, removed: [block(5), block(4)] });
    reopen();
    expect(await store.recentFacts.rewind(chain, 0)).toEqual({ id: 2, fork: 0, removed: [block(1)] });
    expect(store.recentFacts.newestReorg(chain)).toBe(2);
    expect(store.recentFacts.reorgsAfter(chain, 1)).toEqual([{ id: 2, fork: 0, removed: [block(1)] }]);
    expect(store.recentFacts.reorgsAfter(chain, 2)).toEqual([]);
    expect(store.recentFacts.blocks(chain)).toEqual([]);
  });

  test('hold as many blocks as there is room for, the newest', async () => {
    const count = limits.chainWindowBlocksMax;
    await store.recentFacts.append(
      chain,
      Array.from({ length: count }, (_, index) => block(index + 1)),
    );
    expect(store.recentFacts.blocks(chain)).toHaveLength(count);
    await store.recentFacts.append(chain, [block(count + 1)]);
    const kept = store.recentFacts.blocks(chain);
    expect([kept.length, kept[0]?.number]).toEqual([count, 2]);
  });

  test('of the newest reorgs are kept; whether older ones are missing can be told', async () => {
    const kept = limits.chainReorgsKept;
    for (let number = 1; number <= kept + 1; number += 1) await store.recentFacts.rewind(chain, 0);
    expect(store.recentFacts.reorgsAfter(chain, 1)).toHaveLength(kept);
    expect(store.recentFacts.reorgsAfter(chain, 0)).toBeUndefined();
    expect(store.recentFacts.reorgsAfter(chain, kept + 2)).toBeUndefined();
  });
});

describe('a store that cannot be used', () => {
  test('because it is no database is said to be so', async () => {
    const damaged = join(folder, 'damaged.sqlite');
    writeFileSync(damaged, 'this is not a database, by any means'.repeat(100));
    expect(() => openChainStore(damaged)).toThrow(
      expect.objectContaining({ code: 'chain_store_unusable', class: 'corrupt' }),
    );
  });

  test.each(['[', '{}', '[1]'])('because of facts that are %s is said to be so when they are read', async (facts) => {
    await store.recentFacts.append(chain, [{ number: 1, hash: chain, facts: [] }]);
    const database = new DatabaseSync(file);
    database.prepare('UPDATE fact_block SET facts = ?').run(facts);
    database.close();
    expect(() => store.recentFacts.blocks(chain)).toThrow(
      expect.objectContaining({ code: 'chain_store_unusable', class: 'corrupt' }),
    );
  });

  test('for want of room is not damaged, and goes on with room', async () => {
    const pages = new DatabaseSync(file);
    const { page_count: count } = pages.prepare('PRAGMA page_count').get() as { page_count: number };
    pages.close();
    store.close();
    // Every connection has its own bound: this one stands in for the disk's.
    const exec: unknown = Reflect.get(DatabaseSync.prototype, 'exec');
    const bounded = (sql: string): string =>
      sql.startsWith('PRAGMA journal_mode') ? `${sql} PRAGMA max_page_count = ${count};` : sql;
    const spy = vi.spyOn(DatabaseSync.prototype, 'exec').mockImplementation(function (this: DatabaseSync, sql) {
      Reflect.apply(exec as () => void, this, [bounded(sql)]);
    });
    try {
      store = openChainStore(file);
    } finally {
      spy.mockRestore();
    }
    const writes = Array.from({ length: 200 }, (_, nonce) => store.journal.write(chain, tx(alice, nonce)));
    const outcomes = await Promise.allSettled(writes);
    const reasons = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
    expect(reasons.length).toBeGreaterThan(0);
    for (const reason of reasons) expect(reason).toEqual(expect.objectContaining({ code: 'disk_full' }));
    reopen();
    await store.journal.write(chain, tx(bob, 0));
  });

  test('because it is of a newer pouw is said to be so', async () => {
    const newer = new DatabaseSync(file);
    newer.exec('PRAGMA user_version = 99');
    newer.close();
    expect(() => openChainStore(file)).toThrow(
      expect.objectContaining({ code: 'chain_store_unusable', why: expect.stringContaining('99') as unknown }),
    );
  });
});

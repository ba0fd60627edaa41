import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { canonicalJson } from '../../src/core/canonical-json.ts';
import { type Commit, commitHash, sealCommit } from '../../src/core/commit.ts';
import type { Signer } from '../../src/core/ed25519.ts';
import type { Address } from '../../src/core/ids.ts';
import type { StoredCommit } from '../../src/ports/event-store.ts';

/** A log in the hands of somebody who changes it behind pouw's back. */
export interface TamperableLog {
  /** All commits, in the log's order. */
  commits(): StoredCommit[];
  /** Changes one byte of a commit's text, in place. */
  flipByteIn(at: StoredCommit): void;
  /** Takes a commit out. */
  drop(at: StoredCommit): void;
  /** Puts each of two commits where the other one is. */
  swap(a: StoredCommit, b: StoredCommit): void;
  /** Gives each of two commits the position of the other one, and leaves nothing that disagrees with that. */
  exchange(a: StoredCommit, b: StoredCommit): void;
  /** Takes out a commit and everything after it. */
  cutFrom(at: StoredCommit): void;
  /** Puts another commit in a commit's place. */
  replace(at: StoredCommit, commit: Commit): void;
}

/** The database in a data directory. */
export function tamperableDatabase(directory: string): TamperableLog {
  const file = join(directory, 'log.sqlite');
  const change = (sql: string, ...parameters: (string | number)[]): void => {
    const database = new DatabaseSync(file);
    database.prepare(sql).run(...parameters);
    database.close();
  };
  const write = (position: number, commit: Commit): void =>
    change('UPDATE commits SET body = ? WHERE position = ?', canonicalJson(commit), position);
  return {
    commits: () => {
      const database = new DatabaseSync(file, { readOnly: true });
      const rows = database.prepare('SELECT position, body FROM commits ORDER BY position').all();
      database.close();
      return rows.map(({ position, body }) => ({
        position: Number(position),
        commit: JSON.parse(String(body)) as Commit,
      }));
    },
    flipByteIn: ({ commit }) => {
      const bytes = readFileSync(file);
      flip(bytes, `"hash":"${commit.hash}"`);
      writeFileSync(file, bytes);
    },
    drop: ({ position }) => change('DELETE FROM commits WHERE position = ?', position),
    swap: (a, b) => {
      write(a.position, b.commit);
      write(b.position, a.commit);
    },
    exchange: (a, b) => {
      const move = 'UPDATE commits SET position = ? WHERE position = ?';
      change(move, Number.MAX_SAFE_INTEGER, a.position);
      change(move, a.position, b.position);
      change(move, b.position, Number.MAX_SAFE_INTEGER);
    },
    cutFrom: ({ position }) => change('DELETE FROM commits WHERE position >= ?', position),
    replace: ({ position }, commit) => write(position, commit),
  };
}

/** An exported file. */
export function tamperableFile(file: string): TamperableLog {
  const read = (): string[] => readFileSync(file, 'utf8').trimEnd().split('\n');
  const write = (lines: readonly string[]): void => writeFileSync(file, `${lines.join('\n')}\n`);
  return {
    commits: () =>
      read()
        .slice(1)
        .map((line) => JSON.parse(line) as StoredCommit),
    flipByteIn: ({ commit }) => {
      const bytes = readFileSync(file);
      flip(bytes, `"hash":"${commit.hash}"`);
      writeFileSync(file, bytes);
    },
    drop: ({ position }) => write(read().toSpliced(position, 1)),
    swap: (a, b) => {
      const lines = read();
      write(lines.with(a.position, lines[b.position] ?? '').with(b.position, lines[a.position] ?? ''));
    },
    exchange: (a, b) => {
      const line = ({ position }: StoredCommit, { commit }: StoredCommit): string =>
        canonicalJson({ commit, position });
      write(read().with(a.position, line(a, b)).with(b.position, line(b, a)));
    },
    cutFrom: ({ position }) => write(read().slice(0, position)),
    replace: ({ position }, commit) => write(read().with(position, canonicalJson({ commit, position }))),
  };
}

/** Changes the last digit of a text in some bytes. */
function flip(bytes: Buffer, text: string): void {
  const at = bytes.indexOf(text);
  if (at < 0) throw new Error(`${text} is not in one piece in the file`);
  const last = at + text.length - 2;
  bytes[last] = bytes[last] === 0x30 ? 0x31 : 0x30;
}

/** The same commit under another name: the hash made to fit, the signature left as it is. */
export function renamed(commit: Commit, author: Address): Commit {
  const content = { ...commit, author };
  return { ...content, hash: commitHash(content) };
}

/** The same commit signed by somebody else in his own name. */
export function signedBy(commit: Commit, author: Address, signer: Signer): Commit {
  const { v: _v, hash: _hash, sig: _sig, ...draft } = commit;
  return sealCommit({ ...draft, author }, signer);
}

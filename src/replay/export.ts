import type { AnchoredHead } from '../core/anchor.ts';
import type { RegisteredKey } from '../core/author-rules.ts';
import { canonicalJson } from '../core/canonical-json.ts';
import { PouwError } from '../core/errors.ts';
import type { Address, StreamId } from '../core/ids.ts';
import type { StoredCommit } from '../ports/event-store.ts';
import { headerLine } from './log-header.ts';
import type { LogClaims, LogSource } from './source.ts';

/** What an export needs that the log does not know. */
export interface ExportOptions {
  /** Milliseconds since 1970, from the clock port. */
  readonly exportedAt: number;
}

/**
 * A log as NDJSON, one line at a time with its line end: a header (`LogHeader`), then every commit with its
 * position in the store's order. Everything is canonical JSON, so that a log has one export, byte for byte.
 *
 * The log is read twice: the header must say what follows. What is appended meanwhile is left out.
 *
 * @throws PouwError `export_incomplete` where the source is an export whose header says something else than it holds: the
 *   new header would hide that.
 */
export async function* exportLog(source: LogSource, { exportedAt }: ExportOptions): AsyncGenerator<string> {
  const { heads, commits, lastPosition } = await survey(source);
  if (source.claims !== null && !isAsClaimed(source.claims, { heads, commits })) throw incomplete(source.origin);
  const anchors = await source.anchors();
  const keys: Record<Address, RegisteredKey> = Object.fromEntries(await source.keys());
  const facts = { deployment: source.deployment, exportedAt, commits, streams: heads.length, heads, keys, anchors };
  yield `${headerLine(facts)}\n`;
  for await (const stored of source.readAll()) {
    if (stored.position > lastPosition) return;
    for (const line of passedLines(stored)) yield `${line}\n`;
    yield `${commitLine(stored)}\n`;
  }
}

function isAsClaimed(claims: LogClaims, { heads, commits }: Pick<LogClaims, 'heads' | 'commits'>): boolean {
  return claims.commits === commits && canonicalJson(claims.heads) === canonicalJson(heads);
}

function incomplete(origin: string): PouwError {
  return new PouwError('export_incomplete', `${origin} does not hold what its header says.`, {
    class: 'corrupt',
    why: 'Commits are missing, or were put in or changed, since it was exported.',
    hint: 'Run `pouw log verify` to see what is wrong, and export the log itself again.',
  });
}

/** Hashes on one line of what does not count: they fit into `limits.logLineBytesMax`. */
const passedPerLine = 8_192;

/** The lines before a commit's for what lies before it and does not count: their hashes, from a position on. */
function* passedLines({ position, passed = [] }: StoredCommit): Iterable<string> {
  for (let from = 0; from < passed.length; from += passedPerLine) {
    const part = passed.slice(from, from + passedPerLine);
    yield canonicalJson({ passed: part, position: position - passed.length + from });
  }
}

/** One commit's line of an export, without line end. */
export function commitLine({ position, commit }: StoredCommit): string {
  return canonicalJson({ commit, position });
}

async function survey(source: LogSource): Promise<{ heads: AnchoredHead[]; commits: number; lastPosition: number }> {
  const newest = new Map<StreamId, AnchoredHead>();
  let commits = 0;
  let lastPosition = 0;
  for await (const { position, commit } of source.readAll()) {
    newest.set(commit.stream, [commit.stream, commit.version, commit.hash]);
    commits += 1;
    lastPosition = position;
  }
  const heads = [...newest.values()].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return { heads, commits, lastPosition };
}

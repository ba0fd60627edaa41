import type { ContractProgress } from '../../adapters/chain/chain-reader.ts';
import { parseAnchorManifest } from '../../core/anchor.ts';
import { PouwError } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import type { Json } from '../../core/json.ts';
import type { LogMark } from '../../core/log-mark.ts';
import type { EventStore } from '../../ports/event-store.ts';

/**
 * Checks that a log has all that its chain has of it: what the newest anchor names is there, and a log without a commit
 * has no session on chain. A node writes before it sends, so a chain that is ahead tells that the log was lost or cut.
 * Older anchors are left to `pouw log verify`.
 *
 * @param content what is held here under a digest; undefined where it is not.
 * @throws PouwError `log_behind_chain`, `content_lost`.
 */
export async function requireWholeLog(
  store: EventStore,
  { sessions, manifestDigest }: ContractProgress,
  content: (digest: Hex) => Promise<Json | undefined>,
): Promise<void> {
  if (await isEmpty(store)) {
    if (sessions === 0 && manifestDigest === undefined) return;
    throw behind('The log is empty, and the contracts have sessions and anchors of it.', { sessions });
  }
  if (manifestDigest === undefined) return;
  const manifest = await content(manifestDigest);
  const heads = manifest === undefined ? undefined : parseAnchorManifest(manifest)?.heads;
  if (heads === undefined) throw contentLost(manifestDigest);
  for (const [stream, version] of heads) {
    const last = (await store.head(stream))?.version ?? 0;
    if (last < version)
      throw behind(`The log ends at ${stream}@${last}, and version ${version} was anchored.`, {
        stream,
        last,
        version,
      });
  }
}

/**
 * Checks that a log has what it had when files beside it were written: they may not be of a later time than the log, nor
 * of another one.
 *
 * @throws PouwError `log_behind_chain`.
 */
export async function requireMarks(store: EventStore, marks: readonly (LogMark | undefined)[]): Promise<void> {
  for (const mark of marks) {
    if (mark === undefined || (await hasCommit(store, mark))) continue;
    const { position } = mark;
    throw behind(`The chain folder was written when the log had a commit at ${position} that it has no more.`, {
      position,
    });
  }
}

async function hasCommit(store: EventStore, { position, hash }: LogMark): Promise<boolean> {
  for await (const stored of store.readAll({ fromPosition: position })) return stored.commit.hash === hash;
  return false;
}

/** Whether a log has no commit at all. */
export async function isEmpty(store: EventStore): Promise<boolean> {
  for await (const _ of store.heads()) return false;
  return true;
}

function contentLost(manifestDigest: Hex): PouwError {
  return new PouwError('content_lost', 'The content store lacks the manifest of the newest anchor.', {
    class: 'corrupt',
    why: 'A manifest is on the disk before it is anchored: the blocks folder is gone, damaged or an older copy.',
    hint: 'Restore the whole data directory from one copy, or use another --data directory.',
    details: { manifestDigest },
  });
}

function behind(why: string, details: Readonly<Record<string, string | number>>): PouwError {
  return new PouwError('log_behind_chain', 'The log does not have what its chain has of it.', {
    class: 'corrupt',
    why,
    hint: 'Restore the whole data directory from one copy, or use another --data directory.',
    details,
  });
}

import { canonicalJson } from './canonical-json.ts';
import { type Signer, verifySignature } from './ed25519.ts';
import { PouwError } from './errors.ts';
import { type Hex, sha256 } from './hash.ts';
import type { Address, StreamId } from './ids.ts';
import type { JsonObject } from './json.ts';

/** The format of commits, envelope and events, that this code writes and the newest it reads; see `eventsOf`. */
export const commitFormat = 2;

/** A fact. `type` names it, the rest is its data. */
export interface Event extends JsonObject {
  readonly type: string;
}

/**
 * One message of the log: all its events are stored or none. `hash` covers the canonical JSON of the
 * commit without `hash` and `sig`; `prev` is the hash of the version before, so that an edited, dropped,
 * swapped or forged commit is detected.
 */
export interface Commit {
  /** The format of envelope and events, {@link commitFormat}. */
  readonly v: number;
  readonly stream: StreamId;
  /** 1 for a stream's first commit, then one more each. */
  readonly version: number;
  /** Milliseconds since 1970 on the author's clock. */
  readonly at: number;
  /** The node that wrote it; its Ed25519 key is in the registry. */
  readonly author: Address;
  /** The effect, request or chain fact that led to it. */
  readonly cause: string;
  readonly events: readonly Event[];
  /** Hash of the version before; 64 zeros for the first. */
  readonly prev: string;
  /**
   * The fence of the lease under which the author owned the stream, from 1; absent on streams that need no lease.
   * It never falls along a stream: a commit with a lower one was written by an owner that had lost the stream.
   */
  readonly fence?: number;
  readonly hash: string;
  /** Ed25519 signature over `hash`, 128 hex digits. */
  readonly sig: string;
}

/** What a commit is made from; the rest follows. */
export type CommitDraft = Omit<Commit, 'v' | 'hash' | 'sig'>;

/** `prev` of a stream's first commit. */
export const genesisHash = '0'.repeat(64);

/** The hash of a commit's content. */
export function commitHash(commit: CommitDraft & { readonly v: number }): string {
  const { v, stream, version, at, author, cause, events, prev, fence } = commit;
  const fenced = fence === undefined ? {} : { fence };
  // In the order that canonical JSON has them.
  return sha256(canonicalJson({ at, author, cause, events, ...fenced, prev, stream, v, version }));
}

/** Hashes and signs a draft. */
export function sealCommit(draft: CommitDraft, signer: Signer): Commit {
  const hash = commitHash({ ...draft, v: commitFormat });
  return { v: commitFormat, ...draft, hash, sig: signer.sign(hash) };
}

/** Why a commit does not stand; the codes are stable. */
export type CommitFault =
  | 'newer_format'
  | 'wrong_version'
  | 'broken_chain'
  | 'stale_fence'
  | 'wrong_hash'
  | 'unknown_author'
  | 'wrong_signature';

/**
 * Checks one commit against the one before it in its stream.
 *
 * @param previous version and hash of the commit before; version 0 and {@link genesisHash} for none; and the highest
 *   fence so far, where there was one.
 * @param authorKey the registered Ed25519 key of the author, undefined where the registry has none.
 * @returns the first fault found, undefined for a good commit.
 */
export function checkCommit(
  commit: Commit,
  previous: { readonly version: number; readonly hash: string; readonly fence?: number },
  authorKey: Hex | undefined,
): CommitFault | undefined {
  if (commit.v > commitFormat) return 'newer_format';
  const misplaced = placeFault(commit, previous);
  if (misplaced !== undefined) return misplaced;
  if (commitHash(commit) !== commit.hash) return 'wrong_hash';
  if (authorKey === undefined) return 'unknown_author';
  if (!verifySignature(authorKey, commit.hash, commit.sig)) return 'wrong_signature';
  return undefined;
}

/** Why a commit is not the next one of its stream; undefined for one that is. Looks at no content and no signature. */
export function placeFault(
  { version, prev, fence }: Pick<Commit, 'version' | 'prev' | 'fence'>,
  previous: { readonly version: number; readonly hash: string; readonly fence?: number },
): 'wrong_version' | 'broken_chain' | 'stale_fence' | undefined {
  if (version !== previous.version + 1) return 'wrong_version';
  if (prev !== previous.hash) return 'broken_chain';
  return isStale(fence, previous.fence) ? 'stale_fence' : undefined;
}

/** Whether a commit's fence is older than the highest one before it in its stream. */
export function isStale(fence: number | undefined, highest: number | undefined): boolean {
  return highest !== undefined && (fence ?? 0) < highest;
}

/** Which commit an error is about, and where it is stored as far as that is known. */
interface CommitPlace {
  readonly stream: string;
  readonly version: number;
  readonly position?: number;
}

/** @throws PouwError `log_newer_version` where a commit was written by a newer pouw than this one. */
export function refuseNewerFormat(commit: CommitPlace & { readonly v: number }, newest = commitFormat): void {
  if (commit.v <= newest) return;
  throw newerVersion(commit, `format ${commit.v}, and this pouw reads up to ${newest}`);
}

/** @throws PouwError `commit_damaged` where a commit does not have the content its hash was made of. */
export function requireIntact(commit: Commit): void {
  if (commitHash(commit) === commit.hash) return;
  const { stream, version } = commit;
  throw new PouwError('commit_damaged', `Commit ${stream}@${version} is damaged.`, {
    class: 'corrupt',
    why: 'It does not have the content its hash was made of.',
    hint: 'Run `pouw log verify` to see all that is wrong, and restore a backup.',
    details: { stream, version },
  });
}

/**
 * Checks that a commit is the next one of its stream, and whole.
 *
 * @throws PouwError `log_newer_version`, `log_broken_chain`, `commit_damaged`.
 */
export function requireNext(before: { readonly version: number; readonly hash: string }, commit: Commit): void {
  refuseNewerFormat(commit);
  if (commit.version !== before.version + 1 || commit.prev !== before.hash) throw brokenChain(commit);
  requireIntact(commit);
}

/** The refusal of a commit that does not follow the one before it in its stream. */
export function brokenChain({ stream, version }: Pick<Commit, 'stream' | 'version'>): PouwError {
  return new PouwError('log_broken_chain', `Commit ${stream}@${version} does not follow the one before it.`, {
    class: 'corrupt',
    hint: 'Run `pouw log verify` to see all that is wrong, and restore a backup.',
    details: { stream, version },
  });
}

/** The refusal of a commit that only a newer pouw can have written; `what` says what it has. */
export function newerVersion({ stream, version, position }: CommitPlace, what: string): PouwError {
  return new PouwError('log_newer_version', `Commit ${stream}@${version} has ${what}.`, {
    class: 'corrupt',
    why: 'The log was written by a newer version of pouw.',
    hint: 'Run the newer version, or use another --data directory.',
    details: { stream, version, ...(position !== undefined && { position }) },
  });
}

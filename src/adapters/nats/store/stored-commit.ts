import { isCommit, isStreamId } from '../../../core/commit-form.ts';
import { type Commit, type CommitFault, commitFormat, commitHash } from '../../../core/commit.ts';
import { sha256 } from '../../../core/hash.ts';
import type { StreamId } from '../../../core/ids.ts';
import { addressForm, hashForm, isCount, isText } from '../../../core/json-form.ts';

/** A message of the log's stream. */
export interface StoredMessage {
  readonly subject: string;
  /** Its JetStream sequence. */
  readonly position: number;
  /** Empty where it was left out. */
  readonly data: Uint8Array;
}

/** Why a message of the log does not count; the codes are stable, and those that `pouw log verify` has for commits. */
export type RefusalCode = CommitFault | 'wrong_form' | 'forbidden_author' | 'shared_fence';

/** What every commit says of itself, whatever its format. */
export type CommitClaim = Pick<Commit, 'v' | 'stream' | 'version' | 'author' | 'prev' | 'fence' | 'hash' | 'sig'>;

/** What a message has in it, as far as that can be told from the message alone. */
export type Reading =
  | { readonly commit: Commit }
  /** A commit of a format that only a newer pouw reads. */
  | { readonly newer: CommitClaim }
  | { readonly refused: RefusalCode };

/**
 * The id of a commit's message. With the hash in it a server never takes a rival for a duplicate. Whoever publishes can
 * choose it, so readers do not rely on it.
 */
export function commitMessageId({ stream, version, hash }: Pick<Commit, 'stream' | 'version' | 'hash'>): string {
  return `${stream}:${version}:${hash}`;
}

/** The commit in a message: its form, that it lies where its stream's commits lie, and its hash are checked. */
export function readMessage(
  { subject, data }: Pick<StoredMessage, 'subject' | 'data'>,
  subjectOf: (stream: StreamId) => string,
): Reading {
  const value = parsed(data);
  if (isNewer(value)) {
    return isClaim(value) && subjectOf(value.stream) === subject ? { newer: value } : { refused: 'wrong_form' };
  }
  if (!isCommit(value) || subjectOf(value.stream) !== subject) return { refused: 'wrong_form' };
  return commitHash(value) === value.hash ? { commit: value } : { refused: 'wrong_hash' };
}

/**
 * What stands for a message in the order of the log, whether it counts or not: the hash a commit says it has, else one
 * of all its bytes. So that order is the same for those who knew its author and those who did not.
 */
export function orderHash({ data }: Pick<StoredMessage, 'data'>): string {
  const value = parsed(data);
  const hash = typeof value === 'object' && value !== null ? (value as { hash?: unknown }).hash : undefined;
  return isText(hash, hashForm) ? hash : sha256(data);
}

function parsed(data: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8'));
  } catch {
    return undefined;
  }
}

/** Of such a one the check of a commit's form would throw. */
function isNewer(value: unknown): value is object {
  return typeof value === 'object' && value !== null && isCount((value as { v?: unknown }).v, commitFormat + 1);
}

function isClaim(value: object): value is CommitClaim {
  const { stream, version, author, prev, fence, hash, sig } = value as Record<string, unknown>;
  return (
    isStreamId(stream) &&
    isCount(version, 1) &&
    isText(author, addressForm) &&
    isText(prev, hashForm) &&
    (fence === undefined || isCount(fence, 1)) &&
    isText(hash, hashForm) &&
    typeof sig === 'string'
  );
}

import { type Commit, type CommitFault, checkCommit, commitHash } from '../core/commit.ts';
import type { StreamId } from '../core/ids.ts';
import { isShared, type Standing, standingAfter, unwritten } from '../core/standing.ts';
import type { StoredCommit } from '../ports/event-store.ts';
import { authorFault, openingFault, routersOf } from '../core/author-rules.ts';
import { claimFault } from './claim-rules.ts';
import { isCommit, isStreamId } from '../core/commit-form.ts';
import type { FaultList, LogFault } from './fault.ts';
import { isCount } from '../core/json-form.ts';
import type { RegisteredKeys } from './source.ts';

const reasons: Readonly<Record<Exclude<CommitFault, 'wrong_version'>, string>> = {
  newer_format: 'was written by a newer pouw',
  broken_chain: 'does not name the hash of the version before',
  stale_fence: 'was written under a lease that had passed to another owner',
  wrong_hash: 'does not have the content its hash was made of',
  unknown_author: 'has an author the registry does not know',
  wrong_signature: 'was not signed with its author’s registered key',
};

/**
 * Checks commits one by one in the store's order: form, place, chain, hash, signature, author. After a
 * fault it goes on from what the commit claims, so that one fault is not reported again by all that follow.
 */
export class CommitChecker {
  readonly heads = new Map<StreamId, Standing>();
  commits = 0;
  events = 0;
  /** Positions that hold nothing that counts. */
  passed = 0;
  #position = 0;
  readonly #keys: RegisteredKeys;
  readonly #faults: FaultList;

  constructor(keys: RegisteredKeys, faults: FaultList) {
    this.#keys = keys;
    this.#faults = faults;
  }

  /** The position of the newest commit. */
  get position(): number {
    return this.#position;
  }

  /** Takes the next commit. */
  take({ position, commit, passed = [] }: StoredCommit): void {
    this.commits += 1;
    this.passed += passed.length;
    if (passed.length > 0) {
      this.#checkPosition(position - passed.length);
      this.#position = Math.max(this.#position, position - 1);
    }
    if (!isCommit(commit)) {
      this.#checkPosition(position);
      const message = `What is at position ${position} does not have the form of a commit.`;
      this.#faults.add('wrong_form', message, { ...claimedName(commit), position });
      return;
    }
    this.events += commit.events.length;
    this.#checkPosition(position, commit);
    const before = this.heads.get(commit.stream) ?? unwritten;
    const isSound = this.#checkCommit(position, commit, before);
    this.heads.set(commit.stream, standingAfter(before, commit, isSound));
  }

  #checkPosition(position: number, commit?: Commit): void {
    const expected = this.#position + 1;
    if (position > expected) {
      const missing =
        position === expected + 1 ? `position ${expected} is` : `positions ${expected} to ${position - 1} are`;
      this.#faults.add('wrong_position', `The commit of ${missing} missing.`, { position: expected });
    } else if (position < expected) {
      const place = { position, ...(commit && { stream: commit.stream, version: commit.version }) };
      const name = commit ? nameOf(commit) : 'what';
      this.#faults.add(
        'wrong_position',
        `${name} at position ${position} comes after position ${this.#position}.`,
        place,
      );
    }
    this.#position = Math.max(this.#position, position);
  }

  /** @returns whether all is well with the commit. */
  #checkCommit(position: number, commit: Commit, previous: Standing): boolean {
    const { stream, version } = commit;
    const place = { stream, version, position };
    const fault = checkCommit(commit, previous, this.#keys.get(commit.author)?.key);
    if (fault === 'wrong_version') this.#wrongVersion(position, commit, previous);
    else if (fault !== undefined) this.#faults.add(fault, `${nameOf(commit)} ${reasons[fault]}.`, place);
    if (fault === 'unknown_author') return false;
    const routers = previous.routers ?? (fault === undefined ? routersOf(commit) : undefined);
    const isFirst = version === 1 && previous.version === 0;
    const forbidden = authorFault(commit, this.#keys, routers) ?? (isFirst ? openingFault(commit) : undefined);
    if (forbidden !== undefined) this.#faults.add('forbidden_author', `${nameOf(commit)}: ${forbidden}.`, place);
    else if (isShared(commit, previous)) {
      const message = `${nameOf(commit)} was written by ${commit.author} under the lease of ${previous.owner}.`;
      this.#faults.add('shared_fence', message, place);
    } else {
      const forged = fault === undefined ? claimFault(commit, this.#keys) : undefined;
      if (forged !== undefined) this.#faults.add('forged_claim', `${nameOf(commit)}: ${forged}.`, place);
      return fault === undefined;
    }
    return false;
  }

  #wrongVersion(position: number, commit: Commit, previous: Standing): void {
    const { stream, version } = commit;
    const expected = previous.version + 1;
    // Of a commit with damaged content the stream and the version may be what was damaged: it is named first.
    const isDamaged = commitHash(commit) !== commit.hash;
    if (isDamaged)
      this.#faults.add('wrong_hash', `${nameOf(commit)} ${reasons.wrong_hash}.`, { stream, version, position });
    if (version > expected) {
      const message = `${stream}@${expected} is missing: ${nameOf(commit)} follows ${stream}@${previous.version}.`;
      this.#faults.add('wrong_version', message, { stream, version: expected, position });
    } else {
      const message = `${nameOf(commit)} comes again or too late: ${stream}@${expected} had to follow.`;
      this.#faults.add('wrong_version', message, { stream, version, position });
    }
    if (isDamaged) return;
    // The commit itself may be forged too; its place hid that.
    const alone = { version: version - 1, hash: commit.prev };
    const fault = checkCommit(commit, alone, this.#keys.get(commit.author)?.key);
    if (fault === undefined || fault === 'wrong_version') return;
    this.#faults.add(fault, `${nameOf(commit)} ${reasons[fault]}.`, { stream, version, position });
  }
}

/** What something that is no commit says it is, as far as that can be said. */
function claimedName(value: unknown): Partial<Pick<LogFault, 'stream' | 'version'>> {
  const { stream, version } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  if (!isStreamId(stream) || !isCount(version, 1)) return {};
  return { stream, version };
}

function nameOf({ stream, version }: Commit): string {
  return `${stream}@${version}`;
}

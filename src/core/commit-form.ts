import { type Commit, commitFormat, refuseNewerFormat } from './commit.ts';
import { actorKinds, type StreamId } from './ids.ts';
import { limits } from './limits.ts';
import { addressForm, hashForm, hasExactly, isCount, isPlainJson, isText } from './json-form.ts';

const members = ['v', 'stream', 'version', 'at', 'author', 'cause', 'events', 'prev', 'hash', 'sig'] as const;

const streamForm = new RegExp(`^(${actorKinds.join('|')})\\.[A-Za-z0-9_-]+$`);

/** Whether a value from outside is the name of a stream. */
export function isStreamId(value: unknown): value is StreamId {
  return isText(value, streamForm);
}

/**
 * Whether a value from outside has the form of a commit. Members that a commit does not have are refused
 * too: the hash does not cover them, so anybody could add them.
 *
 * @throws PouwError `log_newer_version` for a commit of a newer format.
 */
export function isCommit(value: unknown): value is Commit {
  refuseNewer(value);
  const isFenced = typeof value === 'object' && value !== null && 'fence' in value;
  if (!hasExactly(value, isFenced ? [...members, 'fence'] : members) || !isPlainJson(value)) return false;
  const { v, stream, version, at, author, cause, events, prev, fence, hash, sig } = value as Record<string, unknown>;
  return (
    isCount(v, 1) &&
    isStreamId(stream) &&
    isCount(version, 1) &&
    isCount(at, 0) &&
    isText(author, addressForm) &&
    typeof cause === 'string' &&
    isEvents(events) &&
    isText(prev, hashForm) &&
    (fence === undefined || isCount(fence, 1)) &&
    isText(hash, hashForm) &&
    typeof sig === 'string'
  );
}

function refuseNewer(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  const { v, stream, version } = value as Record<string, unknown>;
  if (!isCount(v, commitFormat + 1)) return;
  refuseNewerFormat({ v, stream: String(stream), version: Number(version) });
}

function isEvents(value: unknown): boolean {
  if (!Array.isArray(value) || value.length === 0 || value.length > limits.commitEventsMax) return false;
  return value.every((event: unknown) => typeof (event as { type?: unknown } | null)?.type === 'string');
}

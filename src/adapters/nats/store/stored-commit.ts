import { type Commit, refuseNewerFormat } from '../../../core/commit.ts';
import type { StreamId } from '../../../core/ids.ts';
import type { StreamHead } from '../../../ports/event-store.ts';
import { logCorrupt } from './nats-errors.ts';

/** A message of the log's stream. */
export interface StoredMessage {
  readonly subject: string;
  /** Its JetStream sequence. */
  readonly position: number;
  /** Empty where it was left out. */
  readonly data: Uint8Array;
  /** The `Nats-Msg-Id` header, from {@link commitMessageId}; undefined where it was not looked at. */
  readonly id: string | undefined;
}

const idPattern = /^([a-z]+\.[A-Za-z0-9_-]+):([1-9]\d{0,15}):([0-9a-f]{64})$/;
const hashPattern = /^[0-9a-f]{64}$/;

/**
 * The id of a commit's message. With the hash in it a rival is never taken for a duplicate, and with the version a
 * reader finds its place in a stream without looking into the commits.
 */
export function commitMessageId({ stream, version, hash }: Pick<Commit, 'stream' | 'version' | 'hash'>): string {
  return `${stream}:${version}:${hash}`;
}

/**
 * What the id of a message says about its commit.
 *
 * @throws PouwError `log_corrupt` where it is none of ours.
 */
export function headOf(log: string, { id, subject, position }: Omit<StoredMessage, 'data'>): StreamHead {
  const [, stream, version, hash] = idPattern.exec(id ?? '') ?? [];
  if (stream === undefined || hash === undefined || !subject.endsWith(`.${stream}`)) {
    const why = `The message at position ${position} (${subject}) has no id of a commit of its stream.`;
    throw logCorrupt(log, why, { details: { position } });
  }
  return { stream: stream as StreamId, version: Number(version), hash, position };
}

/**
 * The commit in a message. Its form is checked, its hash and signature are not: that is what a verification is for.
 *
 * @throws PouwError `log_corrupt`, `log_newer_version`.
 */
export function parseCommit(log: string, message: Pick<StoredMessage, 'subject' | 'position' | 'data'>): Commit {
  const { subject, position, data } = message;
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8'));
  } catch (error) {
    throw logCorrupt(log, `The commit at position ${position} (${subject}) is no JSON.`, {
      details: { position },
      cause: error,
    });
  }
  if (isObject(value) && typeof value['v'] === 'number') {
    const { v, stream, version } = value;
    refuseNewerFormat({ v, stream: String(stream), version: Number(version), position });
    if (isCommit(value) && subject.endsWith(`.${value.stream}`)) return value;
  }
  throw logCorrupt(log, `What is stored at position ${position} (${subject}) is no commit of that stream.`, {
    details: { position },
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isCommit(value: unknown): value is Commit {
  const { stream, version, at, author, cause, events, prev, hash, sig } = value as Partial<Record<string, unknown>>;
  return (
    typeof stream === 'string' &&
    Number.isSafeInteger(version) &&
    (version as number) >= 1 &&
    Number.isSafeInteger(at) &&
    typeof author === 'string' &&
    typeof cause === 'string' &&
    isHash(prev) &&
    isHash(hash) &&
    typeof sig === 'string' &&
    Array.isArray(events) &&
    events.length > 0 &&
    events.every((event) => isObject(event) && typeof event['type'] === 'string')
  );
}

function isHash(value: unknown): boolean {
  return typeof value === 'string' && hashPattern.test(value);
}

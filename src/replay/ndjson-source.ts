import { createReadStream } from 'node:fs';
import { canonicalJson } from '../core/canonical-json.ts';
import { errorMessage, PouwError } from '../core/errors.ts';
import type { Address, StreamId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import type { StoredCommit, StreamHead } from '../ports/event-store.ts';
import { isCommit } from '../core/commit-form.ts';
import { hashForm, hasExactly, isCount, isText } from '../core/json-form.ts';
import { type LogHeader, malformedLog, parseHeader, parseJson } from './log-header.ts';
import { type Line, linesOf } from './ndjson-lines.ts';
import type { LogSource } from './source.ts';

/** Bytes that can be read again and again: an exported log in a file or in memory. */
export interface LogBytes {
  /** For messages: the path. */
  readonly origin: string;
  /** Starts reading from the first byte. */
  open(): AsyncIterable<Uint8Array>;
}

/**
 * An exported log as a source. It is read in a stream, so its size does not matter; reading one stream means
 * reading the file. Every line must be exactly what an export writes.
 *
 * @throws PouwError `log_malformed` naming the line, `log_newer_version`, `log_unreadable`; the first line is
 *   read at once, the others as they are asked for.
 */
export async function openNdjsonLog(log: LogBytes): Promise<LogSource> {
  const header = await readHeader(log);
  return {
    origin: log.origin,
    deployment: header.deployment,
    claims: header,
    heads: () => headsOf(log),
    read: (stream, options) => streamOf(log, stream, options?.toVersion),
    readAll: () => commitsOf(log),
    keys: async () => new Map(Object.entries(header.keys) as [Address, LogHeader['keys'][Address]][]),
    anchors: async () => header.anchors,
  };
}

/**
 * An exported log in a file.
 *
 * @throws PouwError as {@link openNdjsonLog}.
 */
export function openNdjsonFile(path: string): Promise<LogSource> {
  return openNdjsonLog({ origin: path, open: () => createReadStream(path) as AsyncIterable<Uint8Array> });
}

async function readHeader(log: LogBytes): Promise<LogHeader> {
  for await (const line of lines(log)) return parseHeader(decode(log, line), log.origin);
  throw malformedLog(log.origin, 1, 'The file is empty.');
}

function bytesMax(line: number): number {
  return line === 1 ? limits.logHeaderBytesMax : limits.logLineBytesMax;
}

async function* lines(log: LogBytes): AsyncGenerator<Line> {
  const tooLong = (line: number): Error => malformedLog(log.origin, line, `It is longer than ${bytesMax(line)} bytes.`);
  yield* linesOf(readable(log), bytesMax, tooLong);
}

async function* readable(log: LogBytes): AsyncGenerator<Uint8Array> {
  try {
    yield* log.open();
  } catch (error) {
    throw new PouwError('log_unreadable', `${log.origin} cannot be read.`, {
      class: 'unavailable',
      why: errorMessage(error),
      hint: 'Check the path and its permissions.',
      cause: error,
    });
  }
}

async function* commitsOf(log: LogBytes, wanted: (line: Line) => boolean = () => true): AsyncGenerator<StoredCommit> {
  let passed: string[] = [];
  for await (const line of lines(log)) {
    if (line.number === 1 || !wanted(line)) continue;
    const parsed = parseLine(log, line);
    if ('commit' in parsed) {
      yield passed.length === 0 ? parsed : { ...parsed, passed };
      passed = [];
    } else for (const hash of parsed.passed) passed.push(hash);
  }
}

/** A line for what does not count: the hashes that stand for it, from a position on. */
interface PassedLine {
  readonly position: number;
  readonly passed: readonly string[];
}

async function* streamOf(log: LogBytes, stream: StreamId, toVersion = Infinity): AsyncGenerator<StoredCommit> {
  // The bytes tell quickly which lines to parse; an event may mention the stream too, so the commit decides.
  const mark = Buffer.from(`"stream":"${stream}"`);
  for await (const stored of commitsOf(log, ({ bytes }) => asBuffer(bytes).includes(mark))) {
    if (stored.commit.stream !== stream) continue;
    if (stored.commit.version > toVersion) return;
    yield stored;
  }
}

async function* headsOf(log: LogBytes): AsyncGenerator<StreamHead> {
  const heads = new Map<StreamId, StreamHead>();
  for await (const { position, commit } of commitsOf(log)) {
    const { stream, version, hash } = commit;
    heads.set(stream, { stream, version, hash, position });
  }
  yield* [...heads.values()].toSorted((a, b) => (a.stream < b.stream ? -1 : 1));
}

function parseLine(log: LogBytes, line: Line): StoredCommit | PassedLine {
  const text = decode(log, line);
  const value = parseJson(text);
  const malformed = (why: string): PouwError => malformedLog(log.origin, line.number, why, placeIn(text));
  if (value === undefined) throw malformed('It is not JSON.');
  if (isPassedLine(value)) {
    if (canonicalJson({ ...value }) !== text) throw malformed('It is not written as canonical JSON.');
    return value;
  }
  if (!hasExactly(value, ['commit', 'position']) || !isCount(value.position, 1) || !isCommit(value.commit)) {
    throw malformed('It does not have the form of a commit with its position.');
  }
  const stored = { position: value.position, commit: value.commit };
  if (canonicalJson(stored) !== text) throw malformed('It is not written as canonical JSON.');
  return stored;
}

function isPassedLine(value: unknown): value is PassedLine {
  if (!hasExactly(value, ['passed', 'position']) || !isCount(value.position, 1)) return false;
  const { passed } = value;
  return Array.isArray(passed) && passed.length > 0 && passed.every((hash) => isText(hash, hashForm));
}

function decode(log: LogBytes, line: Line): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(line.bytes);
  } catch {
    throw malformedLog(log.origin, line.number, 'It is not UTF-8.', placeIn(asBuffer(line.bytes).toString('latin1')));
  }
}

/**
 * What a damaged line still says about its commit, for the message. The commit's own members come last in
 * canonical JSON, after its events, which may have members of the same names.
 */
function placeIn(text: string): { stream?: string; version?: number; position?: number } {
  const stream = /^.*"stream":"([a-z]+\.[A-Za-z0-9_-]+)"/s.exec(text)?.[1];
  const version = /^.*"version":(\d{1,15})[,}]/s.exec(text)?.[1];
  const position = /"position":(\d{1,15})\}$/.exec(text)?.[1];
  return {
    ...(stream !== undefined && { stream }),
    ...(version !== undefined && { version: Number(version) }),
    ...(position !== undefined && { position: Number(position) }),
  };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

import type { StreamId } from '../../core/ids.ts';
import type { StoredCommit } from '../../ports/event-store.ts';
import type { LogSource } from '../../replay/source.ts';
import { timelineLine, timelineOf } from '../../replay/timeline.ts';
import { printAll } from '../print.ts';
import { noSuchStream } from './stream-option.ts';

/** `pouw log show`: one stream's history, or all sessions'. */
export async function showHistory(source: LogSource, stream: StreamId | undefined, json: boolean): Promise<void> {
  const commits = stream === undefined ? sessionsOf(source) : known(source, stream);
  await printAll(json ? entries(commits) : timeline(commits));
}

async function* sessionsOf(source: LogSource): AsyncGenerator<StoredCommit> {
  for await (const stored of source.readAll()) if (stored.commit.stream.startsWith('session.')) yield stored;
}

async function* known(source: LogSource, stream: StreamId): AsyncGenerator<StoredCommit> {
  let isThere = false;
  for await (const stored of source.read(stream)) {
    isThere = true;
    yield stored;
  }
  if (!isThere) throw noSuchStream(source, stream);
}

/** A heading wherever the stream changes: several sessions go on at the same time. */
async function* timeline(commits: AsyncIterable<StoredCommit>): AsyncGenerator<string> {
  let shown: StreamId | undefined;
  for await (const entry of timelineOf(commits)) {
    if (entry.stream !== shown) yield `${shown === undefined ? '' : '\n'}${entry.stream}\n`;
    shown = entry.stream;
    yield `  ${timelineLine(entry)}\n`;
  }
  if (shown === undefined) yield 'The log has no sessions.\n';
}

async function* entries(commits: AsyncIterable<StoredCommit>): AsyncGenerator<string> {
  for await (const { position, commit } of commits) {
    const { stream, version, at, author, cause } = commit;
    for (const event of commit.events) {
      yield `${JSON.stringify({ position, stream, version, at, author, cause, event })}\n`;
    }
  }
}

import { parseStreamId, type StreamId } from '../../core/ids.ts';
import type { LogSource } from '../../replay/source.ts';
import { momentText } from '../../replay/timeline.ts';
import { print, printJson } from '../print.ts';
import { table } from '../table.ts';

/** A stream in a list. */
interface ListedStream {
  readonly stream: StreamId;
  readonly kind: string;
  readonly versions: number;
  readonly events: number;
  readonly lastEvent: string;
  /** Milliseconds since 1970. */
  readonly lastAt: number;
}

/** `pouw log list`. */
export async function listStreams(source: LogSource, json: boolean): Promise<void> {
  const streams = await streamsOf(source);
  if (json) {
    await printJson({ source: source.origin, streams });
    return;
  }
  const rows = streams.map(({ stream, kind, versions, events, lastEvent, lastAt }) => {
    return [stream, kind, String(versions), String(events), lastEvent, momentText(lastAt)];
  });
  const columns = [
    { title: 'stream' },
    { title: 'kind' },
    { title: 'versions', right: true },
    { title: 'events', right: true },
    { title: 'last event' },
    { title: 'time (UTC)' },
  ];
  await print(rows.length === 0 ? 'The log is empty.\n' : `${table(columns, rows)}\n`);
}

async function streamsOf(source: LogSource): Promise<ListedStream[]> {
  const streams = new Map<StreamId, ListedStream>();
  for await (const { commit } of source.readAll()) {
    const { stream, version, at } = commit;
    const events = (streams.get(stream)?.events ?? 0) + commit.events.length;
    const lastEvent = commit.events.at(-1)?.type ?? '';
    streams.set(stream, { stream, kind: parseStreamId(stream).kind, versions: version, events, lastEvent, lastAt: at });
  }
  return [...streams.values()].toSorted((a, b) => (a.stream < b.stream ? -1 : 1));
}

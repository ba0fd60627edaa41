import { PouwError } from '../../core/errors.ts';
import { actorKinds, isSessionId, type StreamId, streamId } from '../../core/ids.ts';
import type { LogSource } from '../../replay/source.ts';

/** The options that name a stream. */
export interface StreamOptions {
  readonly session?: string;
  readonly stream?: string;
}

const streamForm = new RegExp(`^(${actorKinds.join('|')})\\.[A-Za-z0-9_-]+$`);

/** The stream that `--session` or `--stream` names. @throws PouwError `session_not_found`, `stream_not_found`. */
export function streamOption(source: LogSource, { session, stream }: StreamOptions): StreamId | undefined {
  if (session !== undefined) {
    if (!isSessionId(session)) throw noSuchSession(source, session);
    return streamId('session', session);
  }
  if (stream === undefined) return undefined;
  if (!streamForm.test(stream)) throw noSuchStream(source, stream);
  return stream as StreamId;
}

/** The error for a stream that the log does not have; a session's is named by its session. */
export function noSuchStream(source: LogSource, stream: string): PouwError {
  if (stream.startsWith('session.')) return noSuchSession(source, stream.slice('session.'.length));
  return new PouwError('stream_not_found', `There is no stream ${stream} in ${source.origin}.`, {
    class: 'not-found',
    hint: 'List the streams with `pouw log list`.',
    param: 'stream',
  });
}

function noSuchSession(source: LogSource, session: string): PouwError {
  return new PouwError('session_not_found', `There is no session ${session} in ${source.origin}.`, {
    class: 'not-found',
    hint: 'List the streams with `pouw log list`; a session is named without the `session.` before it.',
    param: 'session',
  });
}

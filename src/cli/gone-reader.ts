import { exitCodes } from './report-error.ts';

/** What a write says once nobody reads: a closed pipe, a terminal that was hung up. */
const goneCodes = new Set(['EPIPE', 'EIO', 'ECONNRESET', 'ERR_STREAM_DESTROYED']);

let hasMoreToDo = false;

/**
 * From now on this process has more to do than to print: what it has started must be put away, whoever still reads.
 * Without it, a command whose standard output nobody reads any more ends in silence, as `pouw log list DIR | head` should.
 */
export function outliveReaders(): void {
  hasMoreToDo = true;
}

/** Keeps a reader that is gone from ending this process before its time. */
export function expectReadersToGo(): void {
  const onError = (stream: NodeJS.WriteStream) => (error: NodeJS.ErrnoException) => {
    if (!goneCodes.has(error.code ?? '')) throw error;
    if (!hasMoreToDo && stream === process.stdout) process.exit(process.exitCode ?? exitCodes.ok);
  };
  for (const stream of [process.stdout, process.stderr]) stream.on('error', onError(stream));
}

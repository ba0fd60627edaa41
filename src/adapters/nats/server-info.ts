import { connect } from 'node:net';
import { errorMessage } from '../../core/errors.ts';

/** What a server says of itself before anything is agreed on. */
export interface NatsServerInfo {
  readonly version?: string;
  readonly server_name?: string;
  readonly tls_required?: boolean;
  /** Whether clients must show a certificate. */
  readonly tls_verify?: boolean;
}

/** How long a greeting is waited for, and what ends the wait early. */
export interface GreetingOptions {
  /** Milliseconds. Default 2 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

const answerTimeoutMs = 2_000;
/** Bytes a first line may have; a list of a large cluster's servers makes it long. */
const lineBytesMax = 65_536;

/** Reads the first line of a server; undefined where nobody answers or it is no NATS server. */
export function readServerInfo(url: string, options?: GreetingOptions): Promise<NatsServerInfo | undefined> {
  return greeting(url, options).catch(() => undefined);
}

/**
 * Reads the first line of a server, and leaves no socket open, as the vendor's client does where a server takes the
 * connection and says nothing.
 *
 * @throws Error that says why there is none; the signal's reason.
 */
export function greeting(
  url: string,
  { timeoutMs = answerTimeoutMs, signal }: GreetingOptions = {},
): Promise<NatsServerInfo> {
  const { hostname, port } = new URL(url.replace(/^(\w+:\/\/)?/, 'http://'));
  const { promise, resolve, reject } = Promise.withResolvers<NatsServerInfo>();
  if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
  const socket = connect({ host: hostname.replaceAll(/[[\]]/g, ''), port: port === '' ? 4222 : Number(port) });
  const timer = setTimeout(() => {
    reject(new Error(socket.connecting ? 'connection timed out' : 'it takes the connection and says nothing'));
  }, timeoutMs);
  const abort = (): void => reject(signal?.reason as Error);
  signal?.addEventListener('abort', abort);
  let line = '';
  socket.setEncoding('utf8');
  socket.on('error', (error) => {
    const isRefused = 'code' in error && error.code === 'ECONNREFUSED';
    reject(isRefused ? new Error('connection refused', { cause: error }) : error);
  });
  socket.once('close', () => reject(new Error('it hung up')));
  socket.on('data', (text: string) => {
    line += text;
    if (!line.includes('\n') && line.length <= lineBytesMax) return;
    try {
      resolve(parseInfo(line));
    } catch (error) {
      reject(new Error(`what answers is no NATS server: ${errorMessage(error)}`, { cause: error }));
    }
  });
  return promise.finally(() => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
    socket.destroy();
  });
}

function parseInfo(line: string): NatsServerInfo {
  if (!line.startsWith('INFO ')) throw new Error('it does not begin with INFO');
  return JSON.parse(line.slice(5, line.includes('\n') ? line.indexOf('\n') : undefined)) as NatsServerInfo;
}

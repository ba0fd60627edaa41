import type { NatsConnection, Status } from 'nats';
import { errorMessage } from '../../core/errors.ts';
import type { Log } from '../../ports/log.ts';
import { forbidden, isPermissionError, type NatsForbidden } from './nats-errors.ts';
import { isNatsVersionEnough, natsVersionFloor } from './server/server-version.ts';

/** What happens to a connection. */
export type NatsEvent =
  /** Nothing arrives and nothing is sent until `up`; the server has forgotten what it had not delivered. */
  | { readonly type: 'down' }
  /** Connected again; subscriptions are in place again. */
  | { readonly type: 'up' }
  /** The server refused a subject. */
  | { readonly type: 'forbidden'; readonly refused: NatsForbidden }
  /** Closed for good, by us or by an error that reconnecting does not help against. */
  | { readonly type: 'closed' };

/** A connection that comes back by itself, and who wants to know what happens to it. */
export interface NatsLink {
  /** The vendor's connection, for other adapters on NATS. */
  readonly connection: NatsConnection;
  /** How the subjects of answers to us begin. */
  readonly inboxPrefix: string;
  /** Whether the server can be reached now. */
  isUp(): boolean;
  /** Tells of what happens from now on; the disposer ends it. A listener must not throw. */
  listen(listener: (event: NatsEvent) => void): () => void;
  /** Sends what is under way and closes. Safe to call again. */
  close(): Promise<void>;
}

/** Watches a fresh connection: writes to the log and tells listeners. `onAttempt` hears of each try to reconnect. */
export function watchConnection(
  connection: NatsConnection,
  inboxPrefix: string,
  log: Log,
  on: { readonly attempt: () => void; readonly connected: () => void },
): NatsLink {
  const listeners = new Set<(event: NatsEvent) => void>();
  const tell = (event: NatsEvent): void => {
    for (const listener of listeners) listener(event);
  };
  let isUp = true;
  const handle = (status: Status): void => {
    switch (status.type) {
      case 'disconnect':
        if (isUp) log.warn('lost the connection to NATS', { server: status.server });
        isUp = false;
        tell({ type: 'down' });
        break;
      case 'reconnecting':
        on.attempt();
        break;
      case 'reconnect':
        isUp = true;
        on.connected();
        log.info('connected to NATS again', { server: status.server });
        warnOfVersion(connection, log);
        tell({ type: 'up' });
        break;
      case 'error':
        if (isPermissionError(status.error)) {
          const refused = forbidden(status.error);
          log.warn('NATS refused a subject', { subject: refused.subject, operation: refused.operation });
          tell({ type: 'forbidden', refused });
        } else {
          log.warn('NATS reported an error', { error: errorMessage(status.error) });
        }
        break;
      case 'staleConnection':
        log.warn('NATS does not answer; connecting again', {});
        break;
      case 'ldm':
        log.info('a NATS server is about to stop', { server: status.server });
        break;
      default:
        break;
    }
  };
  void watch(connection, handle, log).then(() => {
    isUp = false;
    tell({ type: 'closed' });
  });
  return {
    connection,
    inboxPrefix,
    isUp: () => isUp,
    listen: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close: () => close(connection, isUp),
  };
}

async function watch(connection: NatsConnection, handle: (status: Status) => void, log: Log): Promise<void> {
  for await (const status of connection.status()) handle(status);
  const reason = await connection.closed();
  if (reason instanceof Error) log.error('the connection to NATS is closed', { error: errorMessage(reason) });
}

/** A server that was replaced by an older one cannot be refused any more, but should not go unnoticed. */
function warnOfVersion({ info }: NatsConnection, log: Log): void {
  if (info === undefined || isNatsVersionEnough(info.version)) return;
  log.error('the NATS server is too old', { version: info.version, floor: natsVersionFloor });
}

async function close(connection: NatsConnection, isUp: boolean): Promise<void> {
  if (connection.isClosed()) return;
  if (isUp && !connection.isDraining()) await connection.flush().catch(() => undefined);
  await connection.close();
}

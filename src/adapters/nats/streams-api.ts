import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from 'nats';

/** The JetStream domain of servers whose streams are in an account of their own. It says which subjects to use. */
export const streamsDomain = 'pouw';

/** How JetStream's subjects begin for all accounts of such servers; those that begin with `$JS.API` are each account's own. */
export const openedApi = '$JS.nodes.API';

/** What each connection's servers were found to be: while a connection is lost, its client knows nothing of them. */
const found = new WeakMap<NatsConnection, string>();

/**
 * How the subjects begin on which JetStream takes requests. It is found out once for a connection, which must be up at the
 * first call: {@link connectNats} makes that one.
 */
export function streamsApi(connection: NatsConnection): string {
  const known = found.get(connection);
  if (known !== undefined) return known;
  const api = domainOf(connection) === streamsDomain ? openedApi : '$JS.API';
  if (connection.info !== undefined) found.set(connection, api);
  return api;
}

/** The client for a connection's JetStream. */
export function streamsClient(connection: NatsConnection): JetStreamClient {
  return jetstream(connection, { apiPrefix: streamsApi(connection) });
}

/** Who makes and describes streams; does not ask whether there is a JetStream, which not everybody may. */
export function streamsManager(connection: NatsConnection, timeoutMs: number): Promise<JetStreamManager> {
  return jetstreamManager(connection, { checkAPI: false, timeout: timeoutMs, apiPrefix: streamsApi(connection) });
}

/** The domain that the server says it has; servers that others have set up may have any, or none. */
function domainOf({ info }: NatsConnection): unknown {
  return (info as { readonly domain?: unknown } | undefined)?.domain;
}

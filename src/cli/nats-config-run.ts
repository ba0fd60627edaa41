import { isIP } from 'node:net';
import { renderNatsConfig } from '../adapters/nats/nats-config.ts';
import type { NatsServerSettings } from '../adapters/nats/server/server-config.ts';
import { requireReadable } from '../adapters/nats/tls-files.ts';
import { PouwError } from '../core/errors.ts';
import type { NatsConfigOptions } from './nats-config-command.ts';
import { readMembers } from './nats-members.ts';

/**
 * The text of a server's configuration.
 *
 * @throws PouwError `nats_config_incomplete` for options that need others, `file_unreadable`, `members_malformed`,
 *   `invalid_nats_member`.
 */
export function natsConfig(options: NatsConfigOptions): string {
  const { members, name, host, port, store: directory, maxFileBytes, monitorPort } = options;
  const [tls, cluster] = [tlsOf(options), clusterOf(options)];
  return renderNatsConfig(readMembers(members), {
    name,
    host,
    port,
    jetStream: { directory, ...(maxFileBytes === undefined ? {} : { maxFileBytes }) },
    ...(monitorPort === undefined ? {} : { monitorPort }),
    ...(tls === undefined ? {} : { tls }),
    ...(cluster === undefined ? {} : { cluster }),
  });
}

/**
 * Looks whether the files are there that the configuration names: the server would not start without them.
 *
 * @throws PouwError `file_unreadable` naming the file.
 */
export async function requireCertificates({
  tlsCert,
  tlsKey,
  tlsCa,
}: Pick<NatsConfigOptions, 'tlsCert' | 'tlsKey' | 'tlsCa'>): Promise<void> {
  for (const [param, path] of Object.entries({ tlsCert, tlsKey, tlsCa }))
    if (path !== undefined) await requireReadable(path, param);
}

function tlsOf({ tlsCert, tlsKey, tlsCa, verifyClients = false }: NatsConfigOptions): NatsServerSettings['tls'] {
  if (tlsCert === undefined && tlsKey === undefined) {
    if (tlsCa !== undefined || verifyClients)
      throw incomplete('tlsCert', 'a server that encrypts needs --tls-cert and --tls-key');
    return undefined;
  }
  if (tlsCert === undefined || tlsKey === undefined)
    throw incomplete(tlsCert === undefined ? 'tlsCert' : 'tlsKey', '--tls-cert and --tls-key belong together');
  if (verifyClients && tlsCa === undefined)
    throw incomplete('tlsCa', '--verify-clients needs --tls-ca, the authority whose certificates count');
  return { certFile: tlsCert, keyFile: tlsKey, verifyClients, ...(tlsCa === undefined ? {} : { caFile: tlsCa }) };
}

function clusterOf(options: NatsConfigOptions): NatsServerSettings['cluster'] {
  const { cluster: name, clusterPort: port, route: routes, host, tlsCert, tlsKey, tlsCa } = options;
  if (name === undefined) {
    if (routes !== undefined)
      throw incomplete('cluster', '--route needs --cluster, which all of its servers name alike');
    return undefined;
  }
  if (routes === undefined)
    throw incomplete('route', 'a server finds its cluster by the cluster ports of the others, host:port each');
  const tls =
    tlsCert === undefined || tlsKey === undefined || tlsCa === undefined
      ? undefined
      : { certFile: tlsCert, keyFile: tlsKey, caFile: tlsCa };
  // Whoever reaches the port may be a server of the cluster and reads and writes everything: no key is asked for there.
  if (tls === undefined && !isLoopback(host))
    throw incomplete(
      'tlsCa',
      'the servers of a cluster beyond this machine prove themselves with --tls-cert, --tls-key and --tls-ca',
    );
  return { name, port, routes, ...(tls === undefined ? {} : { tls }) };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function incomplete(param: string, why: string): PouwError {
  return new PouwError('nats_config_incomplete', 'No configuration can be made of these options.', {
    class: 'invalid',
    why: `${why}.`,
    hint: '`pouw nats-config --help` lists the options; docs/operations.md has examples.',
    param,
  });
}

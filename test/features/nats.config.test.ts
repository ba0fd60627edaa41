import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { prepareNatsNetwork } from '../../src/adapters/nats/prepare.ts';
import { type KeysOptions, publicKeys } from '../../src/cli/keys-run.ts';
import { natsConfig } from '../../src/cli/nats-config-run.ts';
import { connectPeer } from '../../src/cli/nats-peer.ts';
import { natsProgram, sharedNatsCluster } from '../kit/nats-server.ts';
import { pouwError } from './pouw-error.ts';
import { scratchDirectory } from './scratch-directory.ts';

const scratch = scratchDirectory();
const tls = { tlsCert: pem('server'), tlsKey: pem('server-key'), tlsCa: pem('authority') };
const base = { name: 'pouw-1', host: '127.0.0.1', port: 4_222, clusterPort: 6_222 };

function pem(name: string): string {
  return fileURLToPath(new URL(`../fixtures/tls/${name}.pem`, import.meta.url));
}

/** The file with the lines that `pouw keys --json` prints for some of each kind. */
function membersFile(): string {
  const roles: readonly KeysOptions['role'][] = [
    'router',
    'miner',
    'validator',
    'oracle',
    'client',
    'observer',
    'operator',
  ];
  const lines = roles.map((role) => JSON.stringify(publicKeys({ role, data: join(scratch.path, role) })));
  const file = join(scratch.path, 'members');
  writeFileSync(file, lines.join('\n'));
  return file;
}

describe('what `pouw nats-config` prints', () => {
  const store = join(scratch.path, 'checked');
  test.each([
    ['one server', { ...base, monitorPort: 8_222, maxFileBytes: 1_000_000_000 }],
    ['one server with TLS', { ...base, ...tls }],
    ['one that wants to see certificates', { ...base, ...tls, host: '0.0.0.0', verifyClients: true }],
    ['one of three on this machine', { ...base, cluster: 'pouw', route: ['127.0.0.1:6223', '127.0.0.1:6224'] }],
    [
      'one of three with TLS',
      { ...base, ...tls, host: '0.0.0.0', cluster: 'pouw', route: ['nats-2:6222', 'nats-3:6222'] },
    ],
  ])('is taken by a real server as it is: %s', async (_what, options) => {
    const file = join(scratch.path, 'nats.conf');
    writeFileSync(file, natsConfig({ ...options, members: membersFile(), store }));
    const { status, stderr } = spawnSync(await natsProgram(), ['-t', '-c', file], { encoding: 'utf8' });
    expect(stderr).toContain('is valid');
    expect(status).toBe(0);
  });

  test.each([
    ['a certificate without its key', { tlsCert: 'c' }, 'tlsKey'],
    ['a key without its certificate', { tlsKey: 'k' }, 'tlsCert'],
    ['an authority without a certificate', { tlsCa: 'a' }, 'tlsCert'],
    ['clients that are to be verified by nobody', { tlsCert: 'c', tlsKey: 'k', verifyClients: true }, 'tlsCa'],
    ['routes without a cluster', { route: ['a:1'] }, 'cluster'],
    ['a cluster without routes', { cluster: 'pouw' }, 'route'],
    ['a cluster that anybody in the network may join', { host: '0.0.0.0', cluster: 'pouw', route: ['a:1'] }, 'tlsCa'],
  ])('is refused for %s', (_what, options, param) => {
    const run = () => natsConfig({ ...base, members: membersFile(), store, ...options });
    expect(run).toThrow(pouwError('nats_config_incomplete'));
    expect(run).toThrow(expect.objectContaining({ param }));
  });
});

describe('three servers with that configuration, TLS and clients’ certificates', () => {
  const cluster = sharedNatsCluster({
    settings: { tls: { certFile: tls.tlsCert, keyFile: tls.tlsKey, caFile: tls.tlsCa, verifyClients: true } },
    render: ({ name, host, port, monitorPort, jetStream, cluster: own }) =>
      natsConfig({
        ...tls,
        members: membersFile(),
        name,
        host,
        port,
        store: jetStream?.directory ?? '',
        monitorPort: monitorPort ?? 0,
        verifyClients: true,
        cluster: own?.name ?? '',
        clusterPort: own?.port ?? 0,
        route: own?.routes ?? [],
      }),
  });
  const peer = { natsCa: tls.tlsCa, natsCert: pem('client'), natsCertKey: pem('client-key') };

  test('find each other, and keep three copies of what an operator makes', async () => {
    const { url: nats } = await cluster();
    const link = await connectPeer('test', { ...peer, nats, natsKey: join(scratch.path, 'operator', 'nats.nk') });
    await prepareNatsNetwork({ connection: link.connection, replicas: 3 });
    expect(link.connection.info?.cluster).toBe('pouw');
    await link.close();
  });

  test('take nobody without a key', async () => {
    const { url: nats } = await cluster();
    await expect(connectPeer('test', { ...peer, nats })).rejects.toEqual(pouwError('nats_unauthorised'));
  });

  test('take nobody without a certificate', async () => {
    const { url: nats } = await cluster();
    const natsKey = join(scratch.path, 'operator', 'nats.nk');
    await expect(connectPeer('test', { nats, natsKey, natsCa: tls.tlsCa })).rejects.toEqual(
      pouwError('nats_tls_failed'),
    );
    await expect(connectPeer('test', { ...peer, nats })).rejects.toEqual(pouwError('nats_unauthorised'));
  });
});

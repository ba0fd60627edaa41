import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addressOfKey } from '../../src/adapters/chain/accounts.ts';
import { type AnvilProcess, startAnvil } from '../../src/adapters/chain/anvil-process.ts';
import { type NatsServer, startNatsServer } from '../../src/adapters/nats/server/server-process.ts';
import { stakeWei } from '../../src/cli/compose/settings.ts';
import { deployNetwork } from '../../src/cli/chain-deploy-run.ts';
import { publicKeys } from '../../src/cli/keys-run.ts';
import { natsConfig } from '../../src/cli/nats-config-run.ts';
import { KeyRing } from '../../src/core/key-ring.ts';
import { scratch } from '../kit/local-network.ts';
import { natsProgram } from '../kit/nats-server.ts';
import { firstLine, type PouwProcess, runPouw, spawnPouw } from '../kit/pouw-process.ts';

const place = scratch('nats-tls');
const folder = (name: string): string => join(place.path, name);
const key = (name: string): string => join(folder(name), 'nats.nk');
const oracle = publicKeys({ role: 'oracle', data: folder('oracle') });
const started: PouwProcess[] = [];
let server: NatsServer;
let anvil: AnvilProcess;
let deployment: string;

/** Certificates of an authority of our own, as `test/fixtures/tls/make.sh` made them with openssl. */
function pem(name: string): string {
  return fileURLToPath(new URL(`../fixtures/tls/${name}.pem`, import.meta.url));
}

beforeAll(async () => {
  const others = (['observer', 'operator'] as const).map((role) => publicKeys({ role, data: folder(role) }));
  const members = folder('members');
  writeFileSync(members, [oracle, ...others].map((one) => JSON.stringify(one)).join('\n'));
  const files = { certFile: pem('server'), keyFile: pem('server-key'), caFile: pem('authority') };
  server = await startNatsServer({
    directory: folder('nats'),
    program: await natsProgram(),
    settings: { tls: { ...files, verifyClients: true } },
    render: ({ name, host, port, monitorPort, jetStream }) =>
      natsConfig({
        members,
        name,
        host,
        port,
        monitorPort: monitorPort ?? 0,
        store: jetStream?.directory ?? '',
        tlsCert: files.certFile,
        tlsKey: files.keyFile,
        tlsCa: files.caFile,
        verifyClients: true,
        clusterPort: 6_222,
      }),
  });
  anvil = await startAnvil({ directory: folder('chain') });
  const deployerKey = new KeyRing(`0x${'6'.repeat(64)}`).account('deployer', 0);
  const shares = new Map([[oracle.address, stakeWei.oracle]]);
  ({ file: deployment } = await deployNetwork({
    rpcUrl: anvil.url,
    folder: folder(addressOfKey(deployerKey)),
    deployerKey,
    shares,
  }));
});
afterAll(async () => {
  for (const process of started) process.kill('SIGKILL');
  await Promise.all(started.map(({ ended }) => ended));
  await server.stop();
  await anvil.stop();
  place.remove();
});

const trust = ['--nats-ca', pem('authority')];
const show = [...trust, '--nats-cert', pem('client'), '--nats-cert-key', pem('client-key')];

function startOracle(args: readonly string[]): PouwProcess {
  const at = ['--nats', server.url, '--rpc', anvil.url, '--deployment', deployment, '--data', folder('oracle')];
  const process = spawnPouw(['oracle', '--json', ...at, ...args]);
  started.push(process);
  return process;
}

// One after the other: the network is prepared once.
describe('a node process on servers with TLS that want to see certificates', () => {
  it('is told apart by what it shows: without a certificate nobody gets in', async () => {
    const refused = await runPouw(['status', '--nats', server.url, '--nats-key', key('observer'), ...trust]);
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toContain('error nats_tls_failed');
    expect(refused.stderr).toMatch(/certificate required|asks for a certificate/);
  });

  it('does not talk to servers that an authority it does not know vouches for', async () => {
    const stranger = ['--nats-ca', pem('stranger'), ...show.slice(2)];
    const refused = await runPouw(['status', '--nats', server.url, '--nats-key', key('observer'), ...stranger]);
    expect(refused.stderr).toContain('error nats_tls_failed');
  });

  it('waits, says for what, and starts once an operator has made what it needs', async () => {
    const node = startOracle(show);
    const status = ['status', '--nats', server.url, '--nats-key', key('observer'), ...show];
    const early = await runPouw(status);
    expect(early.stderr).toContain('error nats_not_prepared');
    const made = await runPouw(['nats-prepare', '--nats', server.url, '--nats-key', key('operator'), ...show]);
    expect(made).toMatchObject({ code: 0 });
    const ready: unknown = JSON.parse(await firstLine(node, (text) => text.includes('\n')));
    expect(ready).toMatchObject({ role: 'oracle', address: oracle.address });
    const present: unknown = JSON.parse((await runPouw([...status, '--json'])).stdout);
    expect(present).toMatchObject([{ role: 'oracle', address: oracle.address }]);
    node.kill('SIGTERM');
    expect(await node.ended).toMatchObject({ code: 0 });
  });

  it('ends in time when it is told to, also where nobody answers any more', async () => {
    const node = startOracle([...show, '--drain-ms', '500']);
    await firstLine(node, (text) => text.includes('\n'));
    server.pause();
    try {
      const askedAt = performance.now();
      node.kill('SIGTERM');
      const { code, signal } = await node.ended;
      expect({ code, signal }).toEqual({ code: 1, signal: null });
      // Half a second to drain, five seconds to close, and a busy machine.
      expect(performance.now() - askedAt).toBeLessThan(15_000);
    } finally {
      server.resume();
    }
  });

  it('ends with a clear word where the servers do not know its key', async () => {
    const unknown = publicKeys({ role: 'observer', data: folder('unknown') });
    expect(unknown.nkey).toMatch(/^U/);
    const { code, stderr } = await startOracle([...show, '--nats-key', key('unknown')]).ended;
    expect(code).toBe(1);
    expect(stderr).toContain('error nats_unauthorised');
  });
});

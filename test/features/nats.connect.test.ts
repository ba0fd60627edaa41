import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createUser } from '@nats-io/nkeys';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { connectNats, type NatsConnectOptions } from '../../src/adapters/nats/connect.ts';
import type { NatsEvent, NatsLink } from '../../src/adapters/nats/link.ts';
import { renderNatsConfig } from '../../src/adapters/nats/nats-config.ts';
import { openedApi, streamsApi } from '../../src/adapters/nats/streams-api.ts';
import { natsVersionFloor } from '../../src/adapters/nats/server/server-version.ts';
import { toAddress } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import type { Log } from '../../src/ports/log.ts';
import { sharedNatsServer } from '../kit/nats-server.ts';
import { eventually } from './feature.ts';
import { pouwError, textWith } from './pouw-error.ts';

const user = createUser();
const seed = new TextDecoder().decode(user.getSeed());
const scratch = mkdtempSync(join(tmpdir(), 'pouw-nats-connect-'));
const patienceMs = 20_000;

const plain = sharedNatsServer();
const guarded = sharedNatsServer({
  settings: {
    users: [{ nkey: user.getPublicKey(), publish: ['allowed.>'], subscribe: ['allowed.>', '_INBOX_a.>'] }],
  },
});
const ofNodes = sharedNatsServer({
  render: (settings) =>
    renderNatsConfig(
      [{ role: 'oracle', address: toAddress(`0x${'a'.repeat(40)}`), nkey: user.getPublicKey() }],
      settings,
    ),
});
const encrypted = sharedNatsServer({
  settings: {
    tls: { certFile: pem('server'), keyFile: pem('server-key'), caFile: pem('authority'), verifyClients: true },
  },
});

const links: NatsLink[] = [];
const servers: Server[] = [];

afterEach(async () => {
  for (const link of links.splice(0)) await link.close();
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});
afterAll(() => rmSync(scratch, { recursive: true }));

function pem(name: string): string {
  return fileURLToPath(new URL(`../fixtures/tls/${name}.pem`, import.meta.url));
}

async function open(options: Partial<NatsConnectOptions> & Pick<NatsConnectOptions, 'servers'>): Promise<NatsLink> {
  const link = await connectNats({ name: 'test', firstConnectMs: 300, ...options });
  links.push(link);
  return link;
}

/** A log that keeps `level message`. */
function keptLog(): { readonly lines: string[]; readonly log: Log } {
  const lines: string[] = [];
  const at = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  return { lines, log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } };
}

/** A server that says what it is and then accepts whatever it is told. */
async function pretend(info: object): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write(`INFO ${JSON.stringify({ server_id: 'x', server_name: 'old', host: '127.0.0.1', ...info })}\r\n`);
    socket.on('data', (data) => (String(data).includes('PING') ? socket.write('PONG\r\n') : undefined));
  });
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  return `nats://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

describe('a connection to NATS', () => {
  test('comes back after the server was away, and says so', async () => {
    const server = await plain();
    const { lines, log } = keptLog();
    const link = await open({ servers: server.url, log });
    const events: NatsEvent['type'][] = [];
    const forget = link.listen(({ type }) => void events.push(type));
    expect(link.isUp()).toBe(true);
    await server.kill();
    await eventually('the loss', () => !link.isUp(), patienceMs);
    await server.restart();
    await eventually('the return', () => link.isUp(), patienceMs);
    expect(events).toEqual(['down', 'up']);
    forget();
    await link.connection.flush();
    await link.close();
    await link.close();
    expect([events, link.isUp()]).toEqual([['down', 'up'], false]);
    expect(lines).toEqual(['warn lost the connection to NATS', 'info connected to NATS again']);
  });

  test('knows where its streams are while the server is away', async () => {
    const server = await ofNodes();
    const link = await open({ servers: server.url, nkeySeed: seed });
    await server.kill();
    await eventually('the loss', () => !link.isUp() && link.connection.info === undefined, patienceMs);
    expect(streamsApi(link.connection)).toBe(openedApi);
  });

  test('waits for a server that is about to start', async () => {
    const server = await plain();
    await server.stop();
    const opened = open({ servers: server.url, firstConnectMs: patienceMs });
    await server.restart();
    expect((await opened).isUp()).toBe(true);
  });

  test('tries the next server where one does not answer', async () => {
    const link = await open({ servers: [`nats://127.0.0.1:1, ${(await plain()).url}`] });
    expect(link.isUp()).toBe(true);
  });

  test('is refused in time where nobody answers', async () => {
    await expect(open({ servers: 'nats://127.0.0.1:1', firstConnectMs: 50 })).rejects.toEqual(
      pouwError('nats_unreachable', { details: { servers: ['nats://127.0.0.1:1'] } }),
    );
  });

  test.each([
    { servers: '', why: 'No server' },
    { servers: 'http://127.0.0.1:4222', why: 'not of the form' },
    { servers: 'nats://', why: 'not of the form' },
    { servers: 'nats://name:secret@127.0.0.1:4222', why: 'nkeys' },
  ])('is not tried with the address "$servers"', async ({ servers: address, why }) => {
    const thrown = await open({ servers: address }).catch((error: unknown) => error);
    expect(thrown).toEqual(pouwError('invalid_nats_url', { why: textWith(why) }));
    expect(JSON.stringify(thrown)).not.toContain('secret');
  });
});

test.each(['caFile', 'certFile', 'keyFile'] as const)('a %s that is not there is named at once', async (name) => {
  const tls = { caFile: pem('authority'), certFile: pem('client'), keyFile: pem('client-key'), [name]: '/nope.pem' };
  const refused = open({ servers: (await encrypted()).url, tls, firstConnectMs: patienceMs });
  await expect(refused).rejects.toEqual(pouwError('file_unreadable', { class: 'invalid' }));
  await expect(refused).rejects.toThrow('/nope.pem');
});

describe('a server that pouw cannot work with', () => {
  test('is refused where it is older than what pouw uses', async () => {
    const url = await pretend({ version: '2.9.10', max_payload: limits.natsPayloadBytesMax });
    await expect(open({ servers: url })).rejects.toEqual(
      pouwError('nats_too_old', { details: { version: '2.9.10', floor: natsVersionFloor } }),
    );
  });

  test("is refused where it takes smaller messages than the vendor's default", async () => {
    const atBound = await pretend({ version: natsVersionFloor, max_payload: limits.busMessageBytesMax });
    const { lines, log } = keptLog();
    expect((await open({ servers: atBound, log })).isUp()).toBe(true);
    expect(lines).toEqual(['warn the largest messages will not fit with their headers']);
    const below = await pretend({ version: natsVersionFloor, max_payload: limits.busMessageBytesMax - 1 });
    await expect(open({ servers: below })).rejects.toEqual(pouwError('nats_payload_too_small'));
  });
});

describe('a server that asks who we are', () => {
  test('takes a node by its key', async () => {
    const { url } = await guarded();
    expect((await open({ servers: url, nkeySeed: `${seed}\n` })).isUp()).toBe(true);
  });

  test('refuses a node without a key, and one with a key that it does not know', async () => {
    const { url } = await guarded();
    const stranger = new TextDecoder().decode(createUser().getSeed());
    await expect(open({ servers: url })).rejects.toEqual(pouwError('nats_unauthorised'));
    await expect(open({ servers: url, nkeySeed: stranger })).rejects.toEqual(pouwError('nats_unauthorised'));
  });

  test('is not asked with a key that is none, which no error quotes', async () => {
    const { url } = await guarded();
    const broken = `${seed.slice(0, -1)}!`;
    const thrown = await open({ servers: url, nkeySeed: broken }).catch((error: unknown) => error);
    expect(thrown).toEqual(pouwError('invalid_nats_key'));
    expect(JSON.stringify(thrown)).not.toContain(broken.slice(5, 20));
    const file = join(scratch, 'none.creds');
    await expect(open({ servers: url, credentialsFile: file })).rejects.toEqual(pouwError('invalid_nats_key'));
    writeFileSync(file, 'no credentials');
    await expect(open({ servers: url, credentialsFile: file })).rejects.toEqual(pouwError('invalid_nats_key'));
  });

  test('refuses subjects, and the connection says which and stays', async () => {
    const { lines, log } = keptLog();
    const link = await open({ servers: (await guarded()).url, nkeySeed: seed, inboxPrefix: '_INBOX_a', log });
    const events: unknown[] = [];
    link.listen((event) => void events.push(event));
    link.connection.publish('secret.a');
    link.connection.subscribe('secret.>', { queue: 'q' });
    await eventually('both refusals', () => events.length === 2, patienceMs);
    expect(events).toMatchObject([
      { type: 'forbidden', refused: { operation: 'publish', subject: 'secret.a', error: { code: 'nats_forbidden' } } },
      { type: 'forbidden', refused: { operation: 'subscribe', subject: 'secret.>', queue: 'q' } },
    ]);
    expect(lines).toEqual(['warn NATS refused a subject', 'warn NATS refused a subject']);
    await link.connection.flush();
  });
});

describe('an encrypted connection', () => {
  const tls = { caFile: pem('authority'), certFile: pem('client'), keyFile: pem('client-key') };

  test('is made with a certificate on each side', async () => {
    const link = await open({ servers: (await encrypted()).url, tls });
    expect(link.connection.info).toMatchObject({ tls_required: true, tls_verify: true });
  });

  test.each([
    { name: 'the server is signed by a stranger', change: { caFile: pem('stranger') } },
    { name: 'we show no certificate', change: { certFile: undefined, keyFile: undefined } },
    {
      name: 'our certificate is not one that it knows',
      change: { certFile: pem('server'), keyFile: pem('client-key') },
    },
  ])('is refused where $name', async ({ change }) => {
    const { url } = await encrypted();
    const files = Object.fromEntries(Object.entries({ ...tls, ...change }).filter(([, file]) => file !== undefined));
    await expect(open({ servers: url, tls: files })).rejects.toEqual(pouwError('nats_tls_failed'));
  });

  test('is not replaced by an open one where the server has none', async () => {
    const { url } = await plain();
    await expect(open({ servers: url, tls })).rejects.toEqual(pouwError('nats_tls_failed'));
    await expect(open({ servers: url.replace('nats:', 'tls:') })).rejects.toEqual(pouwError('nats_tls_failed'));
  });
});

import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { natsVersionFloor } from '../../src/adapters/nats/server/server-version.ts';
import { exitCodes } from '../../src/cli/report-error.ts';
import { limits } from '../../src/core/limits.ts';
import { scratch } from '../kit/local-network.ts';
import { type Ended, killLeftovers, type PouwProcess, runPouw, spawnPouw } from '../kit/pouw-process.ts';

const place = scratch('silent-nats');
const servers: Server[] = [];
const sockets = new Set<Socket>();
/** A frozen server: the system takes its connections, nobody says a word. */
let silent: string;
/** One that freezes once a client is in. */
let freezes: string;

/** Starts a server that does with a connection what it is told, and returns its address. */
async function serve(greet: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    greet(socket);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `nats://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const info = { server_id: 'x', server_name: 'x', version: natsVersionFloor, max_payload: limits.natsPayloadBytesMax };

/** A server that lets a client in and says nothing after that. */
function letsIn(given: { readonly version?: string; readonly max_payload?: number }): Promise<string> {
  return serve((socket) => {
    socket.write(`INFO ${JSON.stringify({ ...info, ...given, host: '127.0.0.1', headers: true })}\r\n`);
    socket.on('data', (data) => void (/PING\r\n/.test(String(data)) && socket.write('PONG\r\n')));
  });
}

beforeAll(async () => {
  silent = await serve(() => undefined);
  freezes = await letsIn({});
});

afterAll(async () => {
  await killLeftovers(place.path);
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
  place.remove();
});

async function said(pouw: PouwProcess, text: string): Promise<void> {
  await expect.poll(() => pouw.said(), { timeout: 60_000, interval: 50 }).toContain(text);
}

async function stopped(pouw: PouwProcess): Promise<Ended & { readonly tookMs: number }> {
  const from = performance.now();
  pouw.kill('SIGTERM');
  const ended = await pouw.ended;
  return { ...ended, tookMs: performance.now() - from };
}

describe('NATS that takes connections and says nothing', () => {
  it('keeps no command that asks it: it ends with the reason', async () => {
    const { code, stderr } = await runPouw(['status', '--nats', silent]);
    expect({ code, error: /^error (\w+):/m.exec(stderr)?.[1] }).toEqual({
      code: exitCodes.failed,
      error: 'nats_unreachable',
    });
    expect(stderr).toContain('it takes the connection and says nothing');
  });

  it('keeps no node that waits for it: SIGTERM ends it at once', async () => {
    const node = spawnPouw(['oracle', '--nats', silent, '--data', join(place.path, 'waits')]);
    await said(node, 'waiting for NATS');
    const { code, tookMs } = await stopped(node);
    expect(code).toBe(exitCodes.ok);
    expect(tookMs).toBeLessThan(3_000);
  });

  it('keeps no node that has just connected: it ends within the time its guide promises', async () => {
    const node = spawnPouw(['oracle', '--nats', freezes, '--data', join(place.path, 'frozen')]);
    await said(node, 'waiting for the log on NATS');
    const { tookMs } = await stopped(node);
    expect(tookMs).toBeLessThan(7_000);
  });

  it('a second signal ends the node now', async () => {
    const node = spawnPouw(['oracle', '--nats', freezes, '--data', join(place.path, 'twice')]);
    await said(node, 'waiting for the log on NATS');
    node.kill('SIGTERM');
    await said(node, 'Again stops at once');
    // Two signals within half a second are one.
    await new Promise((resolve) => setTimeout(resolve, 600));
    const ended = await stopped(node);
    expect(ended.tookMs).toBeLessThan(1_500);
  });
});

describe('a server that nobody can work with', () => {
  const refusal = ({ code, stderr }: Ended) => ({
    code,
    error: /^error (\w+):/m.exec(stderr)?.[1],
    hasHint: /^ *next: \S/m.test(stderr),
    waits: stderr.includes('waiting for'),
    traces: /^ +at /m.test(stderr),
  });
  const refused = (error: string) => ({ code: exitCodes.failed, error, hasHint: true, waits: false, traces: false });

  it('is not waited for by a node where it is too old', async () => {
    const nats = await letsIn({ version: '2.9.10' });
    const ended = await runPouw(['oracle', '--nats', nats, '--data', join(place.path, 'old')]);
    expect(refusal(ended)).toEqual(refused('nats_too_old'));
  });

  it('is not waited for by who prepares it where its messages are too small', async () => {
    const nats = await letsIn({ max_payload: limits.busMessageBytesMax - 1 });
    expect(refusal(await runPouw(['nats-prepare', '--nats', nats]))).toEqual(refused('nats_payload_too_small'));
  });

  it('is told of in one line where its version is none', async () => {
    const ended = await runPouw(['status', '--nats', await letsIn({ version: 'garbage' })]);
    expect(refusal(ended)).toEqual(refused('nats_too_old'));
    expect(ended.stdout).toBe('');
  });
});

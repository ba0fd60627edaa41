import { createServer } from 'node:http';
import { connect } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { limits } from '../../core/limits.ts';
import type { Liveness, Probes, Readiness } from '../../ports/probes.ts';
import { openOpsServer, type OpsServer, type OpsServerOptions } from './ops-server.ts';

const open: OpsServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

interface World {
  readonly url: string;
  readonly port: number;
  readonly errors: unknown[];
  alive: boolean;
  readiness: () => Promise<Readiness>;
  text: () => Promise<string>;
}

async function world(more: Partial<OpsServerOptions> = {}): Promise<World> {
  const errors: unknown[] = [];
  const liveness = (): Liveness => ({ alive: state.alive, uptimeS: 3, eventLoopLateMs: 1 });
  const probes: Probes = {
    metrics: { contentType: 'text/plain; version=0.0.4; charset=utf-8', text: () => state.text() },
    liveness,
    readiness: () => state.readiness(),
  };
  const server = await openOpsServer({ probes, port: 0, onError: (error) => errors.push(error), ...more });
  open.push(server);
  const state: World = {
    url: server.url,
    port: server.port,
    errors,
    alive: true,
    readiness: async () => ({ ready: true, checks: { chain: 'ok' } }),
    text: async () => 'pouw_tasks_settled_total 4\n',
  };
  return state;
}

/** Status and body of a GET. */
async function get(url: string): Promise<readonly [number, unknown]> {
  const response = await fetch(url);
  return [response.status, await response.json()];
}

describe('the operations server', () => {
  test('shows the metrics as Prometheus reads them, to be kept by nobody', async () => {
    const { url } = await world();
    const response = await fetch(`${url}/metrics?name=x`);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect([response.status, await response.text()]).toEqual([200, 'pouw_tasks_settled_total 4\n']);
  });

  test('says whether the process lives', async () => {
    const on = await world();
    expect(await get(`${on.url}/healthz`)).toEqual([200, { status: 'ok', uptimeS: 3, eventLoopLateMs: 1 }]);
    on.alive = false;
    expect(await get(`${on.url}/healthz`)).toMatchObject([503, { status: 'stuck' }]);
  });

  test('says whether the process is ready, else what is missing', async () => {
    const on = await world();
    expect(await get(`${on.url}/readyz`)).toEqual([200, { status: 'ready', checks: { chain: 'ok' } }]);
    on.readiness = async () => ({ ready: false, checks: { chain: 'chain_unreachable', log: 'ok' } });
    expect(await get(`${on.url}/readyz`)).toEqual([
      503,
      { status: 'unavailable', missing: ['chain'], checks: { chain: 'chain_unreachable', log: 'ok' } },
    ]);
  });

  test('listens on this machine only, unless it is told otherwise', async () => {
    expect((await world()).url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect((await world({ host: '::1' })).url).toMatch(/^http:\/\/\[::1\]:\d+$/);
  });

  test('answers a HEAD without a body, and nothing but reads', async () => {
    const { url } = await world();
    const head = await fetch(`${url}/metrics`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '27', '']);
    const post = await fetch(`${url}/metrics`, { method: 'POST', body: 'x' });
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    const nowhere = await fetch(`${url}/`);
    expect([nowhere.status, await nowhere.text()]).toEqual([404, '/metrics\n/healthz\n/readyz\n']);
  });

  test('keeps what went wrong for the operator', async () => {
    const on = await world();
    on.text = () => Promise.reject(new Error('the password is swordfish'));
    const [status, body] = await get(`${on.url}/metrics`);
    expect([status, body]).toEqual([503, { status: 'failed' }]);
    expect(on.errors).toEqual([new Error('the password is swordfish')]);
  });

  test('names a port that is taken, and an address that is not there', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const { probes } = { probes: {} as Probes };
    await expect(openOpsServer({ probes, port })).rejects.toMatchObject({ code: 'port_in_use' });
    await expect(openOpsServer({ probes, port, host: '192.0.2.1' })).rejects.toMatchObject({
      code: 'address_unavailable',
      hint: 'Name an address of this machine with --ops-host.',
    });
    taken.close();
  });

  test('holds as many connections as the bound allows', async () => {
    const { port } = await world();
    const idle = Array.from({ length: limits.opsConnectionsMax }, () => connect(port, '127.0.0.1'));
    await Promise.all(idle.map((socket) => once(socket, 'connect')));
    expect(await ask(port, 'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n')).toBe('');
    idle.pop()?.destroy();
    const answered = () => ask(port, 'GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    await expect.poll(answered).toContain('200 OK');
    for (const socket of idle) socket.destroy();
  });

  test('waits as long as the bound allows for a request to arrive', async () => {
    const { port } = await world({ receiveMsMax: 200 });
    expect(await ask(port, 'GET /healthz HTTP/1.1\r\nhost:')).toContain('408 Request Timeout');
  });
});

/** What a server sends back before it closes the connection. */
async function ask(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let heard = '';
  socket.setEncoding('utf8').on('data', (text: string) => (heard += text));
  socket.on('error', () => {});
  socket.write(request);
  await new Promise((resolve) => socket.once('close', resolve));
  return heard;
}

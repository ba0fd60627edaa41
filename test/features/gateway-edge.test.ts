import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { systemClock, systemRandom } from '../../src/adapters/local/system-clock.ts';
import { PouwError } from '../../src/core/errors.ts';
import { createGateway } from '../../src/gateway/gateway.ts';
import { benchModel, benchTokens, call, chatBody, errorOf, type GatewayBench, gatewayBench } from './gateway-bench.ts';
import { pouwError } from './pouw-error.ts';

const answer = benchTokens.join('');
let bench: GatewayBench;

beforeEach(async () => {
  bench = await gatewayBench();
});
afterEach(() => bench.close());

describe('a key', () => {
  test('that is missing or wrong is refused with 401 and the way to send one', async () => {
    const missing = await fetch(`${bench.url}/v1/models`);
    expect(missing.headers.get('www-authenticate')).toBe('Bearer');
    expect(await errorOf(missing, 401)).toMatchObject({ code: 'missing_api_key', type: 'authentication_error' });
    expect(await errorOf(await call(bench, '/v1/models', { key: 'nobody' }), 401)).toMatchObject({
      code: 'invalid_api_key',
    });
    expect(await errorOf(await call(bench, '/v1/models', { key: 'x'.repeat(257) }), 401)).toMatchObject({
      code: 'invalid_api_key',
    });
  });

  test('is not needed to see whether the network is well', async () => {
    const well = await fetch(`${bench.url}/healthz`);
    expect([well.status, await well.json()]).toEqual([200, { status: 'ok', ready: true, miners: 1, block: 1 }]);
    bench.network.outage = new PouwError('chain_unreachable', 'The chain is gone.', { class: 'unavailable' });
    const ill = await fetch(`${bench.url}/healthz`);
    expect([ill.status, await ill.json()]).toMatchObject([
      503,
      { status: 'unavailable', reason: 'The chain is gone.' },
    ]);
  });

  test('opens its own session only: of others one does not learn that they exist', async () => {
    const { data } = (await (await call(bench, '/v1/sessions')).json()) as { data: { id: string }[] };
    const foreign = await call(bench, `/v1/sessions/${data[0]!.id}`, { key: 'other-key' });
    expect(await errorOf(foreign, 404)).toMatchObject({ code: 'session_not_found' });
    const { x_pouw: proof } = (await (await call(bench, '/v1/chat/completions', { body: chatBody() })).json()) as {
      x_pouw: { task: string };
    };
    for (const path of ['', '/events']) {
      const seen = await call(bench, `/v1/tasks/${proof.task}${path}`, { key: 'other-key' });
      expect(await errorOf(seen, 404)).toMatchObject({ code: 'task_not_found' });
    }
    const cancelled = await call(bench, `/v1/tasks/${proof.task}`, { key: 'other-key', method: 'DELETE' });
    expect(await errorOf(cancelled, 404)).toMatchObject({ code: 'task_not_found' });
    const appeal = `/v1/tasks/${proof.task}/appeal`;
    const doubted = await call(bench, appeal, { key: 'other-key', method: 'POST' });
    expect(await errorOf(doubted, 404)).toMatchObject({ code: 'task_not_found' });
    const own = (await (await call(bench, appeal, { method: 'POST' })).json()) as { appeal: unknown };
    expect(own).toMatchObject({ id: proof.task, appeal: { state: 'open', attest_by: 9_000 } });
  });

  test('on a WebSocket is checked before the upgrade', async () => {
    const socket = new WebSocket(`${bench.url.replace('http', 'ws')}/v1/tasks/0x00/stream`, ['pouw.v1', 'key.nobody']);
    const [error] = (await once(socket, 'error')) as [Error];
    expect(error.message).toContain('401');
  });
});

describe('a body', () => {
  test('that is not JSON is refused as such', async () => {
    const broken = await call(bench, '/v1/chat/completions', { body: '{"model": ' });
    expect(broken.headers.get('x-should-retry')).toBe('false');
    expect(await errorOf(broken, 400)).toMatchObject({ code: 'invalid_json', type: 'invalid_request_error' });
    const absent = await call(bench, '/v1/chat/completions', { method: 'POST' });
    expect(await errorOf(absent, 400)).toMatchObject({ code: 'invalid_request' });
    const list = await call(bench, '/v1/chat/completions', { body: '[]' });
    expect(await errorOf(list, 400)).toMatchObject({ code: 'invalid_request' });
  });

  test('is read as JSON whatever its content type says', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const response = await call(bench, '/v1/chat/completions', { body: chatBody(), headers });
    expect(await response.json()).toMatchObject({ choices: [{ message: { content: answer } }] });
  });

  test('with half a character is refused: no hash could hold it', async () => {
    const body = chatBody().replace('Count.', String.raw`\ud800`);
    expect(await errorOf(await call(bench, '/v1/chat/completions', { body }), 400)).toMatchObject({
      code: 'invalid_request',
    });
  });

  test('may be as long as the limit and no longer', async () => {
    expect((await call(bench, '/v1/chat/completions', { body: paddedBody(1_048_576) })).status).toBe(200);
    const over = await call(bench, '/v1/chat/completions', { body: paddedBody(1_048_577) });
    expect(await errorOf(over, 413)).toMatchObject({ code: 'body_too_large' });
  });
});

describe('an answer', () => {
  test("names its request, by the client's own name where it gave one", async () => {
    expect((await call(bench, '/v1/models')).headers.get('x-request-id')).toMatch(/^req_[0-9a-f]{32}$/);
    const named = await call(bench, '/v1/nowhere', { headers: { 'x-request-id': 'mine-1' } });
    expect(named.headers.get('x-request-id')).toBe('mine-1');
    expect(await errorOf(named, 404)).toMatchObject({ code: 'unknown_endpoint' });
  });

  test('that is repeated says when its task was made, not when it was told again', async () => {
    const created = async (options: object = {}): Promise<number> => {
      const headers = { 'idempotency-key': 'once' };
      const told = await call(bench, '/v1/chat/completions', { body: chatBody(options), headers });
      return Number(/"created":(\d+)/.exec(await told.text())?.[1]);
    };
    const first = await created();
    await sleep(1_100);
    expect([await created(), await created({ stream: true })]).toEqual([first, first]);
    expect(Math.abs(first - Date.now() / 1_000)).toBeLessThan(60);
  });

  test('may be read by any web page', async () => {
    const headers = {
      origin: 'https://example.org',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type,x-stainless-os',
    };
    const preflight = await fetch(`${bench.url}/v1/chat/completions`, { method: 'OPTIONS', headers });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*');
    expect(preflight.headers.get('access-control-allow-headers')).toContain('x-stainless-os');
    // Who sends less than a browser is answered too, rather than refused without a code.
    for (const less of [undefined, { origin: 'https://example.org' }]) {
      const bare = await fetch(`${bench.url}/v1/models`, { method: 'OPTIONS', ...(less && { headers: less }) });
      expect([bare.status, await bare.text()]).toEqual([204, '']);
    }
    const stream = await call(bench, '/v1/chat/completions', {
      body: chatBody({ stream: true }),
      headers: { origin: 'https://example.org' },
    });
    expect(stream.headers.get('access-control-allow-origin')).toBe('*');
    expect(stream.headers.get('access-control-expose-headers')).toContain('x-request-id');
    expect(stream.headers.get('x-request-id')).toMatch(/^req_/);
    expect(await stream.text()).toContain('data: [DONE]');
  });

  test('finds a model whose id has slashes, encoded or not', async () => {
    for (const id of [benchModel, encodeURIComponent(benchModel)]) {
      expect(await (await call(bench, `/v1/models/${id}`)).json()).toMatchObject({ id: benchModel, object: 'model' });
    }
  });

  test('to an address that makes no sense is an error like any other', async () => {
    for (const path of ['/v1/models/%zz', `/v1/tasks/${'0'.repeat(600)}`]) {
      const response = await call(bench, path);
      expect(response.headers.get('x-request-id')).toMatch(/^req_/);
      expect(await errorOf(response, 400)).toMatchObject({ code: 'invalid_request', type: 'invalid_request_error' });
    }
  });

  test('says that a model is of the wrong kind', async () => {
    const embedded = await call(bench, '/v1/embeddings', { body: JSON.stringify({ model: benchModel, input: 'x' }) });
    expect(await errorOf(embedded, 400)).toMatchObject({ code: 'model_kind_mismatch', param: 'model' });
  });

  test('keeps what went wrong inside for the operator', async () => {
    const secret = new Error('the password is swordfish');
    bench.network.outage = secret as PouwError;
    const response = await call(bench, '/v1/chat/completions', { body: chatBody() });
    const error = await errorOf(response, 500);
    expect(error).toMatchObject({ code: 'internal', type: 'server_error' });
    expect(JSON.stringify(error)).not.toContain('swordfish');
    const requestId = response.headers.get('x-request-id');
    expect(bench.records).toContainEqual(expect.objectContaining({ event: 'failed', requestId, error: secret }));
  });

  test('says when to come back where the network is only away', async () => {
    bench.network.outage = new PouwError('no_miners', 'No miner is live.', { class: 'unavailable' });
    const response = await call(bench, '/v1/chat/completions', { body: chatBody() });
    expect(response.headers.get('retry-after')).toBe('2');
    expect(response.headers.get('x-should-retry')).toBe('true');
    expect(await errorOf(response, 503)).toMatchObject({ code: 'no_miners' });
  });
});

describe('a session', () => {
  test('takes deposits, but not of nothing', async () => {
    const path = `${await sessionPath()}/deposit`;
    const paid = await call(bench, path, { body: JSON.stringify({ amount_wei: '7' }) });
    expect(await paid.json()).toMatchObject({ money: { balance_wei: '1000000000000000007' } });
    const empty = await call(bench, path, { body: JSON.stringify({ amount_wei: '0' }) });
    expect(await errorOf(empty, 400)).toMatchObject({ code: 'empty_deposit', param: 'amount_wei' });
    const negative = await call(bench, path, { body: JSON.stringify({ amount_wei: '-1' }) });
    expect(await errorOf(negative, 400)).toMatchObject({ code: 'invalid_request', param: 'amount_wei' });
  });

  test('lists its tasks in pages, newest first', async () => {
    const path = `${await sessionPath()}/tasks`;
    const ids: string[] = [];
    for (let count = 0; count < 3; count += 1) {
      const accepted = await call(bench, path, { body: JSON.stringify({ prompt: `Number ${count}`, max_tokens: 2 }) });
      ids.unshift(((await accepted.json()) as { id: string }).id);
    }
    type Page = { data: { id: string }[]; has_more: boolean; after: string };
    const first = (await (await call(bench, `${path}?limit=2`)).json()) as Page;
    const second = (await (await call(bench, `${path}?limit=2&after=${first.after}`)).json()) as Page;
    expect([...first.data, ...second.data].map(({ id }) => id)).toEqual(ids);
    expect([first.has_more, second.has_more]).toEqual([true, false]);
    expect(await errorOf(await call(bench, `${path}?limit=101`), 400)).toMatchObject({ param: 'limit' });
  });

  test('once closed takes no tasks', async () => {
    const closed = await call(bench, `${await sessionPath()}/close`, { method: 'POST' });
    expect(await closed.json()).toMatchObject({ state: 'closed', money: { balance_wei: '0' } });
    const refused = await call(bench, '/v1/chat/completions', { body: chatBody() });
    expect(await errorOf(refused, 403)).toMatchObject({ code: 'session_closing', type: 'permission_error' });
  });
});

test('an idempotency key has a bound', async () => {
  expect((await withIdempotencyKey('k'.repeat(256))).status).toBe(200);
  expect(await errorOf(await withIdempotencyKey('k'.repeat(257)), 400)).toMatchObject({
    code: 'invalid_idempotency_key',
  });
});

test('a port that is taken is named, with the way out', async () => {
  const squatter = createServer().listen(0, '127.0.0.1');
  await once(squatter, 'listening');
  const { port } = squatter.address() as { port: number };
  const gateway = createGateway({ network: bench.network, clock: systemClock, random: systemRandom });
  const hint = expect.stringContaining('--port') as unknown;
  await expect(gateway.listen('127.0.0.1', port)).rejects.toEqual(pouwError('port_in_use', { hint }));
  await gateway.close();
  squatter.close();
});

function paddedBody(bytes: number): string {
  return chatBody().padEnd(bytes, ' ');
}

async function sessionPath(): Promise<string> {
  const { data } = (await (await call(bench, '/v1/sessions')).json()) as { data: { id: string }[] };
  return `/v1/sessions/${data[0]!.id}`;
}

test('a native task is named by its `request_id`, or else by its key', async () => {
  const created = async (body: object, key?: string): Promise<unknown> => {
    const headers = key === undefined ? {} : { 'idempotency-key': key };
    const told = await call(bench, `${await sessionPath()}/tasks`, { body: JSON.stringify(body), headers });
    return ((await told.json()) as { created: boolean }).created;
  };
  const named = { prompt: 'a named task', request_id: 'r1' };
  expect([await created(named), await created(named), await created(named, 'another')]).toEqual([true, false, false]);
  expect(await created({ ...named, request_id: undefined }, 'r1')).toBe(false);
  expect(await created({ ...named, request_id: 'r2' }, 'r1')).toBe(true);
});

function withIdempotencyKey(key: string): Promise<Response> {
  return call(bench, '/v1/chat/completions', { body: chatBody(), headers: { 'idempotency-key': key } });
}

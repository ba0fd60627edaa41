import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { PouwError } from '../../src/core/errors.ts';
import { call, chatBody, errorOf, type GatewayBench, type GatewayBenchOptions, gatewayBench } from './gateway-bench.ts';
import { eventually } from './feature.ts';

const patienceMs = 5_000;
const benches: GatewayBench[] = [];

async function start(options: GatewayBenchOptions): Promise<GatewayBench> {
  const bench = await gatewayBench(options);
  benches.push(bench);
  return bench;
}

afterEach(async () => {
  await Promise.all(benches.splice(0).map((bench) => bench.close()));
});

/** An answer that takes ten seconds. */
const slowAnswer = { tokens: Array.from({ length: 500 }, (_, index) => `${index} `), tokenDelayMs: 20 };

function stream(bench: GatewayBench, options: RequestInit = {}): Promise<Response> {
  return call(bench, '/v1/chat/completions', { body: chatBody({ stream: true, max_tokens: 4_096 }), ...options });
}

async function submitted(bench: GatewayBench): Promise<string> {
  const { data } = (await (await call(bench, '/v1/sessions')).json()) as { data: { id: string }[] };
  const body = JSON.stringify({ prompt: 'Count.', max_tokens: 4_096 });
  const response = await call(bench, `/v1/sessions/${data[0]!.id}/tasks`, { body });
  return ((await response.json()) as { id: string }).id;
}

async function stateOf(bench: GatewayBench, task: string): Promise<unknown> {
  return ((await (await call(bench, `/v1/tasks/${task}`)).json()) as { state: unknown }).state;
}

describe('a client that leaves', () => {
  test('a stream frees the miner and gets its money back', async () => {
    const bench = await start(slowAnswer);
    const leave = new AbortController();
    const response = await stream(bench, { signal: leave.signal });
    await response.body!.getReader().read();
    expect(bench.network.running).toBe(1);
    leave.abort();
    await eventually('the miner is free', () => bench.network.running === 0, patienceMs);
    await eventually('it is logged', () => bench.records.some(({ status }) => status === 499), patienceMs);
    const { data } = (await (await call(bench, '/v1/sessions')).json()) as { data: { money: object; tasks: object }[] };
    expect(data[0]).toMatchObject({
      money: { escrowed_wei: '0', paid_wei: '0' },
      tasks: { submitted: 1, refunded: 1 },
    });
  });

  test('while it waits for JSON frees the miner too', async () => {
    const bench = await start(slowAnswer);
    const leave = new AbortController();
    const pending = call(bench, '/v1/chat/completions', { body: chatBody(), signal: leave.signal });
    await eventually('the miner works', () => bench.network.running === 1, patienceMs);
    leave.abort();
    await expect(pending).rejects.toThrow('abort');
    await eventually('the miner is free', () => bench.network.running === 0, patienceMs);
  });

  test('having named its request may come back for the answer', async () => {
    const bench = await start({ tokenDelayMs: 30 });
    const leave = new AbortController();
    const headers = { 'idempotency-key': 'one' };
    const response = await stream(bench, { signal: leave.signal, headers });
    await response.body!.getReader().read();
    leave.abort();
    await eventually('the gateway has noticed', () => bench.records.some(({ status }) => status === 499), patienceMs);
    expect(bench.network.running).toBe(1);
    const again = await (await stream(bench, { headers })).text();
    expect(again).toContain('"content":"ten"');
    const { data } = (await (await call(bench, '/v1/sessions')).json()) as { data: { tasks: object }[] };
    expect(data[0]!.tasks).toEqual({ submitted: 1, settled: 1, refunded: 0 });
  });

  test('as a watcher, of events or of a socket, changes nothing', async () => {
    const bench = await start({ tokenDelayMs: 50 });
    const task = await submitted(bench);
    const leave = new AbortController();
    const events = await call(bench, `/v1/tasks/${task}/events`, { signal: leave.signal });
    await events.body!.getReader().read();
    const url = `${bench.url.replace('http', 'ws')}/v1/tasks/${task}/stream`;
    const socket = new WebSocket(url, { headers: { authorization: 'Bearer rich-key' } });
    await once(socket, 'message');
    leave.abort();
    socket.terminate();
    await eventually(
      'both are gone',
      () => bench.records.filter(({ status }) => status === 499).length === 2,
      patienceMs,
    );
    expect(bench.network.running).toBe(1);
    await expect.poll(() => stateOf(bench, task), { timeout: patienceMs }).toBe('settled');
  });
});

describe('a stream', () => {
  test('that fails half-way says so and ends', async () => {
    const bench = await start({ ...slowAnswer, tokenDelayMs: 5 });
    const response = await stream(bench);
    const decoder = new TextDecoder();
    let text = '';
    for await (const part of response.body as AsyncIterable<Uint8Array>) {
      text += decoder.decode(part);
      const task = /"id":"chatcmpl-([0-9a-f]+)"/.exec(text)?.[1];
      if (task !== undefined) await call(bench, `/v1/tasks/0x${task}`, { method: 'DELETE' });
    }
    const events = text.trim().split('\n\n');
    expect(events.at(-1)).toBe('data: [DONE]');
    expect(JSON.parse(events.at(-2)!.slice('data: '.length))).toMatchObject({
      error: { code: 'task_cancelled', message: expect.any(String) as string },
    });
    expect(text).not.toContain('"finish_reason":"stop"');
  });

  test('gives a sign of life while it has nothing to say', async () => {
    const bench = await start({ tokenDelayMs: 200, limits: { httpKeepAliveMs: 50 } });
    const text = await (await stream(bench)).text();
    const betweenTwoWords = /"content":"one "(?<between>[^]*)"content":"two "/.exec(text)?.groups?.['between'] ?? '';
    expect(betweenTwoWords.match(/^: keep-alive$/gm)!.length).toBeGreaterThanOrEqual(2);
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
  });

  test('ends at its time limit with an error, and its task with it', async () => {
    const bench = await start({ ...slowAnswer, limits: { httpRequestMsMax: 300 } });
    const [text, whole] = await Promise.all([
      stream(bench).then((response) => response.text()),
      call(bench, '/v1/chat/completions', { body: chatBody() }),
    ]);
    expect(text).toContain('"code":"request_timeout"');
    expect(await errorOf(whole, 504)).toMatchObject({ code: 'request_timeout', type: 'timeout_error' });
    await eventually('the miners are free', () => bench.network.running === 0, patienceMs);
  });

  test('over a socket pings, and drops a reader that does not answer', async () => {
    const bench = await start({ ...slowAnswer, limits: { httpKeepAliveMs: 50 } });
    const task = await submitted(bench);
    const url = `${bench.url.replace('http', 'ws')}/v1/tasks/${task}/stream`;
    const options = { headers: { authorization: 'Bearer rich-key' } };
    const dead = new WebSocket(url, { ...options, autoPong: false });
    const alive = new WebSocket(url, options);
    const [code] = (await once(dead, 'close')) as [number];
    expect(code).toBe(1_006);
    expect(alive.readyState).toBe(alive.OPEN);
    alive.terminate();
  });
});

describe('a reader that does not read', () => {
  const wideAnswer = { tokens: Array.from({ length: 2_000 }, (_, index) => `${index} `.padEnd(12_288, 'x')) };

  test('holds the stream back instead of filling memory, and gets all of it in the end', async () => {
    const bench = await start(wideAnswer);
    const socket = await unreadStream(bench);
    let consumed = -1;
    const settles = async (): Promise<boolean> => {
      const before = consumed;
      consumed = socket.bytesRead + bench.network.watched;
      return before === consumed && bench.network.watched > 0;
    };
    await expect.poll(settles, { interval: 200, timeout: 20_000 }).toBe(true);
    expect(bench.network.watched).toBeLessThan(1_500);
    let text = '';
    socket.setEncoding('latin1').on('data', (part: string) => {
      text = (text + part).slice(-2_000);
    });
    socket.resume();
    await expect.poll(() => text.includes('data: [DONE]'), { timeout: 20_000 }).toBe(true);
    expect(bench.network.watched).toBeGreaterThan(2_000);
    socket.destroy();
  });

  test('is cut off in the end, and its task cancelled', async () => {
    const bench = await start({ ...wideAnswer, tokenDelayMs: 1, limits: { httpStallMsMax: 200 } });
    const socket = await unreadStream(bench);
    await eventually('the stream is cut', () => bench.records.some(({ status }) => status === 499), 20_000);
    await eventually('the miner is free', () => bench.network.running === 0, patienceMs);
    expect(bench.records.filter(({ event }) => event === 'failed')).toEqual([]);
    socket.destroy();
  });
});

/** A stream over a socket that nobody reads. */
async function unreadStream(bench: GatewayBench): Promise<Socket> {
  const socket = connect(bench.port, '127.0.0.1');
  await once(socket, 'connect');
  const body = chatBody({ stream: true, max_tokens: 4_096 });
  const head = [
    'POST /v1/chat/completions HTTP/1.1',
    'host: x',
    'authorization: Bearer rich-key',
    `content-length: ${body.length}`,
  ];
  socket.pause();
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  return socket;
}

describe('requests at the same time', () => {
  test('are bounded for a key, and its places come free again', async () => {
    const bench = await start({ tokenDelayMs: 30, limits: { httpRequestsPerKeyMax: 2 } });
    const running = await Promise.all([stream(bench), stream(bench)]);
    const refused = await call(bench, '/v1/models');
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await errorOf(refused, 429)).toMatchObject({ code: 'too_many_requests', type: 'rate_limit_error' });
    expect((await call(bench, '/v1/models', { key: 'other-key' })).status).toBe(200);
    await Promise.all(running.map((response) => response.text()));
    expect((await call(bench, '/v1/models')).status).toBe(200);
  });

  test('are bounded for all keys together', async () => {
    const bench = await start({ tokenDelayMs: 30, limits: { httpRequestsMax: 1 } });
    const running = await stream(bench);
    expect(await errorOf(await call(bench, '/v1/models', { key: 'other-key' }), 429)).toMatchObject({
      code: 'too_many_requests',
    });
    await running.text();
    expect((await call(bench, '/v1/models', { key: 'other-key' })).status).toBe(200);
  });
});

describe('a gateway that closes', () => {
  test('lets what is under way finish and takes nothing new', async () => {
    const bench = await start({ tokenDelayMs: 30 });
    const running = await stream(bench);
    const closed = bench.close();
    expect(await errorOf(await call(bench, '/v1/models'), 503)).toMatchObject({ code: 'gateway_closing' });
    expect(await running.text()).toContain('data: [DONE]');
    await closed;
    await expect(call(bench, '/v1/models')).rejects.toThrow('fetch failed');
    benches.length = 0;
  });

  test('tells those it cannot wait for', async () => {
    const bench = await start({ ...slowAnswer, limits: { httpDrainMsMax: 100 } });
    const running = await stream(bench);
    const closed = bench.close();
    const text = await running.text();
    expect(text).toContain('"code":"gateway_closing"');
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    await closed;
    await eventually('the miner is free', () => bench.network.running === 0, patienceMs);
    benches.length = 0;
  });
});

test('a network that stops in mid-answer is an error, not silence', async () => {
  const bench = await start({ tokenDelayMs: 20 });
  const original = bench.network.watch.bind(bench.network);
  bench.network.watch = async function* (task, signal) {
    let count = 0;
    for await (const update of original(task, signal)) {
      yield update;
      count += 1;
      if (count === 6) throw new PouwError('task_unwatched', 'The router stops.', { class: 'unavailable' });
    }
  };
  expect(await (await stream(bench)).text()).toContain('"code":"task_unwatched"');
});

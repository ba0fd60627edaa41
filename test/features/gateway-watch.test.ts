import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { createPromMetrics, type PromMetrics } from '../../src/adapters/metrics/prom-metrics.ts';
import { openOtlpTracer, type OtlpTracer } from '../../src/adapters/otlp/otlp-tracer.ts';
import type { TaskId } from '../../src/core/ids.ts';
import { rootSpanOf, traceIdOf } from '../../src/core/trace-ids.ts';
import type { Readiness } from '../../src/ports/probes.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../kit/otlp-receiver.ts';
import { readMetrics, sumOf } from '../kit/prometheus.ts';
import { call, chatBody, type GatewayBench, gatewayBench } from './gateway-bench.ts';

let metrics: PromMetrics;
let collector: OtlpReceiver;
let tracer: OtlpTracer;
let bench: GatewayBench;
let readiness: Readiness;

beforeEach(async () => {
  metrics = createPromMetrics();
  collector = await startOtlpReceiver();
  tracer = openOtlpTracer({ endpoint: collector.endpoint, version: 'test' });
  readiness = { ready: true, checks: { chain: 'ok' } };
  const probes = {
    metrics,
    liveness: () => ({ alive: true, uptimeS: 1, eventLoopLateMs: 0 }),
    readiness: async () => readiness,
  };
  bench = await gatewayBench({ tokenDelayMs: 5, watch: { metrics, tracer, probes } });
});
afterEach(async () => {
  await bench.close();
  await tracer.close();
  await collector.close();
});

async function read(name: string, labels?: Record<string, string>): Promise<number> {
  return sumOf(readMetrics(await metrics.text()), name, labels);
}

const chat = '/v1/chat/completions';

/** A streamed answer, read to its end; the task it was. */
async function ask(headers: Record<string, string> = {}): Promise<TaskId> {
  const response = await call(bench, chat, { body: chatBody({ stream: true }), headers });
  return /"task":"(0x[0-9a-f]{64})"/.exec(await response.text())?.[1] as TaskId;
}

describe('the metrics of a gateway', () => {
  test('count requests by the template of their route, never by what was asked for', async () => {
    const task = await ask();
    await call(bench, `/v1/tasks/${task}`);
    await call(bench, `/v1/tasks/0x00`);
    await call(bench, '/v1/models', { key: 'nobody' });
    await call(bench, `/v1/${'x'.repeat(30)}`);
    const requests = (route: string, status: string) => read('pouw_http_requests_total', { route, status });
    await expect.poll(() => requests(chat, '200')).toBe(1);
    expect([await requests('/v1/tasks/:task', '200'), await requests('/v1/tasks/:task', '404')]).toEqual([1, 1]);
    expect([await requests('/v1/models', '401'), await requests('none', '404')]).toEqual([1, 1]);
    expect(await read('pouw_http_request_duration_seconds_count')).toBe(5);
    expect(await metrics.text()).not.toContain(task);
  });

  test('have the time to the first words of streams, and of streams only', async () => {
    await ask();
    await (await call(bench, chat, { body: chatBody() })).text();
    await expect.poll(() => read('pouw_http_requests_total', { route: chat })).toBe(2);
    expect(await read('pouw_http_first_token_seconds_count', { route: chat })).toBe(1);
  });

  test('say how many streams and requests are open', async () => {
    const tokens = Array.from({ length: 500 }, (_, index) => `${index} `);
    const slow = await gatewayBench({ tokens, tokenDelayMs: 20, watch: { metrics } });
    const open = async () => [
      await read('pouw_http_streams_open', { protocol: 'sse' }),
      await read('pouw_http_streams_open', { protocol: 'websocket' }),
      await read('pouw_http_requests_open'),
    ];
    const leave = new AbortController();
    const body = chatBody({ stream: true, max_tokens: 4_096 });
    const response = await call(slow, chat, { body, signal: leave.signal });
    const first = (await response.body!.getReader().read()) as { readonly value: Uint8Array };
    const task = /chatcmpl-([0-9a-f]{64})/.exec(new TextDecoder().decode(first.value))?.[1];
    expect(await open()).toEqual([1, 0, 1]);
    const url = `${slow.url.replace('http', 'ws')}/v1/tasks/0x${task}/stream`;
    const socket = new WebSocket(url, ['pouw.v1', 'key.rich-key']);
    await once(socket, 'message');
    expect(await open()).toEqual([1, 1, 2]);
    leave.abort();
    await once(socket, 'close');
    await expect.poll(open).toEqual([0, 0, 0]);
    await slow.close();
  });

  test('are served beside the probes, without a key, and not to every web page', async () => {
    const headers = { origin: 'https://example.org' };
    const page = await fetch(`${bench.url}/metrics`, { headers });
    expect([page.status, page.headers.get('content-type')]).toEqual([200, metrics.contentType]);
    expect(page.headers.get('access-control-allow-origin')).toBeNull();
    expect(await page.text()).toContain('# TYPE pouw_http_requests_total counter');
    const ready = await fetch(`${bench.url}/readyz`, { headers });
    expect(ready.headers.get('access-control-allow-origin')).toBeNull();
    expect([ready.status, await ready.json()]).toEqual([200, { status: 'ready', checks: { chain: 'ok' } }]);
    readiness = { ready: false, checks: { chain: 'chain_unreachable' } };
    const missing = await fetch(`${bench.url}/readyz`);
    expect([missing.status, await missing.json()]).toMatchObject([503, { missing: ['chain'] }]);
  });
});

describe('the traces of a gateway', () => {
  test('have a request in the trace of every task it is about, and link to its caller', async () => {
    const caller = { traceId: 'ab'.repeat(16), id: 'cd'.repeat(8) };
    const task = await ask({ traceparent: `00-${caller.traceId}-${caller.id}-01`, 'x-request-id': 'mine' });
    await (await call(bench, `/v1/tasks/${task}/events`)).text();
    await call(bench, '/v1/models');
    await expect.poll(() => read('pouw_http_requests_total')).toBe(3);
    await tracer.close();
    expect(bench.records).toContainEqual(expect.objectContaining({ event: 'answered', path: chat, task }));
    const common = { traceId: traceIdOf(task), parent: rootSpanOf(task), service: 'pouw-gateway' };
    expect(collector.spans).toMatchObject([
      { ...common, name: `POST ${chat}`, links: [caller.id], attributes: { 'pouw.request.id': 'mine' } },
      { ...common, name: 'GET /v1/tasks/:task/events', links: [], attributes: { 'http.response.status_code': 200 } },
    ]);
    expect(new Set(collector.spans.map(({ id }) => id)).size).toBe(2);
  });
});

test('a gateway that nobody watches serves no metrics', async () => {
  const alone = await gatewayBench();
  expect((await fetch(`${alone.url}/metrics`)).status).toBe(404);
  expect((await fetch(`${alone.url}/readyz`)).status).toBe(404);
  await alone.close();
});

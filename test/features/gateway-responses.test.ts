import { afterEach, describe, expect, test } from 'vitest';
import {
  benchModel,
  call,
  errorOf,
  type GatewayBench,
  type GatewayBenchOptions,
  gatewayBench,
} from './gateway-bench.ts';
import { eventually } from './feature.ts';

// What a stream of responses does when not all goes well: as chat's does, told in events of its own.

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

function ask(bench: GatewayBench, change: object = {}, options: RequestInit = {}): Promise<Response> {
  const body = JSON.stringify({ model: benchModel, input: 'Count.', max_output_tokens: 4_096, ...change });
  return call(bench, '/v1/responses', { body, ...options });
}

interface Failed {
  readonly type: string;
  readonly response: { readonly status: string; readonly error: { readonly code: string }; readonly output: object[] };
}

/** The last event of a stream. */
function lastOf(text: string): Failed {
  const last = text.trim().split('\n\n').at(-1) ?? '';
  expect(last).toMatch(/^event: response\.failed\ndata: /);
  return JSON.parse(/^data: (.+)$/m.exec(last)![1]!) as Failed;
}

describe('a streamed response', () => {
  test('whose client leaves frees the miner', async () => {
    const bench = await start(slowAnswer);
    const leave = new AbortController();
    const response = await ask(bench, { stream: true }, { signal: leave.signal });
    await response.body!.getReader().read();
    expect(bench.network.running).toBe(1);
    leave.abort();
    await eventually('the miner is free', () => bench.network.running === 0, patienceMs);
    await eventually('it is logged', () => bench.records.some(({ status }) => status === 499), patienceMs);
  });

  test('that fails half-way says so in its last event, with what was said', async () => {
    const bench = await start({ ...slowAnswer, tokenDelayMs: 5 });
    const response = await ask(bench, { stream: true });
    const decoder = new TextDecoder();
    let text = '';
    let isCancelled = false;
    for await (const part of response.body as AsyncIterable<Uint8Array>) {
      text += decoder.decode(part);
      if (isCancelled || !text.includes('output_text.delta')) continue;
      isCancelled = true;
      await call(bench, `/v1/tasks/0x${/"resp_([0-9a-f]{64})"/.exec(text)![1]}`, { method: 'DELETE' });
    }
    const { response: failed } = lastOf(text);
    expect(failed).toMatchObject({ status: 'failed', error: { code: 'task_cancelled' } });
    expect(failed.output).toMatchObject([
      { status: 'incomplete', content: [{ text: expect.stringMatching(/^0 /) as string }] },
    ]);
  });

  test('gives a sign of life while it has nothing to say, and ends without a sign of chat', async () => {
    const bench = await start({ tokens: ['one ', 'two'], tokenDelayMs: 200, limits: { httpKeepAliveMs: 50 } });
    const text = await (await ask(bench, { stream: true })).text();
    const between = /"delta":"one "(?<between>[^]*)"delta":"two"/.exec(text)?.groups?.['between'] ?? '';
    expect(between.match(/^: keep-alive$/gm)!.length).toBeGreaterThanOrEqual(2);
    expect(text).toMatch(/event: response\.completed\ndata: .+\n\n$/);
    expect(text).not.toContain('[DONE]');
  });

  test('ends at its time limit, in one piece with the status of chat', async () => {
    const bench = await start({ ...slowAnswer, limits: { httpRequestMsMax: 300 } });
    const [text, whole] = await Promise.all([ask(bench, { stream: true }).then((answer) => answer.text()), ask(bench)]);
    expect(lastOf(text).response.error.code).toBe('request_timeout');
    expect(await errorOf(whole, 504)).toMatchObject({ code: 'request_timeout', type: 'timeout_error' });
    await eventually('the miners are free', () => bench.network.running === 0, patienceMs);
  });

  test('is counted among the requests of its key', async () => {
    const bench = await start({ tokenDelayMs: 30, limits: { httpRequestsPerKeyMax: 1 } });
    const running = await ask(bench, { stream: true });
    expect(await errorOf(await ask(bench), 429)).toMatchObject({ code: 'too_many_requests' });
    await running.text();
    expect((await ask(bench)).status).toBe(200);
  });
});

test('token ids that stand for more text than a body may bring are refused as that text is', async () => {
  const bench = await start({ limits: { httpBodyBytesMax: 200 } });
  const embed = (input: readonly unknown[]): Promise<Response> =>
    call(bench, '/v1/embeddings', { body: JSON.stringify({ model: 'recorded-embed', input }) });
  // A tokenizer whose token n is n letters.
  bench.network.decode = async (_model, lists) => lists.map(([id]) => 'x'.repeat(id!));
  expect((await embed([[100], [100]])).status).toBe(200);
  expect(await errorOf(await embed([[100], [101]]), 413)).toMatchObject({
    code: 'prompt_too_long',
    details: { size: 201, limit: 200, unit: 'bytes' },
  });
  expect(await errorOf(await embed([[1], [0]]), 400)).toMatchObject({ code: 'invalid_request', param: 'input[1]' });
});

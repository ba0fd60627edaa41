import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { benchTokens, call, chatBody, errorOf, type GatewayBench, gatewayBench } from './gateway-bench.ts';

const benches: GatewayBench[] = [];

async function start(): Promise<GatewayBench> {
  const bench = await gatewayBench({ tokenDelayMs: 5 });
  benches.push(bench);
  return bench;
}

afterEach(async () => {
  await Promise.all(benches.splice(0).map((bench) => bench.close()));
});

async function submitted(bench: GatewayBench): Promise<string> {
  const { data } = (await (await call(bench, '/v1/sessions')).json()) as { data: { id: string }[] };
  const body = JSON.stringify({ prompt: 'Count.', max_tokens: 4_096 });
  return ((await (await call(bench, `/v1/sessions/${data[0]!.id}/tasks`, { body })).json()) as { id: string }).id;
}

/** The events of a stream, each with its fields. */
async function eventsOf(response: Response): Promise<{ id?: string; event: string; data: { text?: string } }[]> {
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  const blocks = (await response.text()).trim().split('\n\n');
  return blocks.map((block) => {
    const field = (name: string): string | undefined =>
      block
        .split('\n')
        .find((line) => line.startsWith(`${name}: `))
        ?.slice(name.length + 2);
    const id = field('id');
    const data = JSON.parse(field('data') ?? '') as { text?: string };
    return { event: field('event') ?? '', data, ...(id === undefined ? {} : { id }) };
  });
}

async function tokensOf(response: Response): Promise<[string | undefined, string | undefined][]> {
  const events = await eventsOf(response);
  expect(events.at(-1)?.event).toBe('verdict');
  return events.filter(({ event }) => event === 'token').map(({ id, data }) => [id, data.text]);
}

const numbered = benchTokens.map((text, index) => [`${index}`, text]);

describe('a stream that a client takes up again', () => {
  test.each(['stream', 'events'])(
    'as /%s without an upgrade: server-sent events with the tokens’ places',
    async (path) => {
      const bench = await start();
      const task = await submitted(bench);
      expect(await tokensOf(await call(bench, `/v1/tasks/${task}/${path}`))).toEqual(numbered);
      expect(await tokensOf(await call(bench, `/v1/tasks/${task}/${path}?after=3`))).toEqual(numbered.slice(4));
      expect(await tokensOf(await call(bench, `/v1/tasks/${task}/${path}?after=9`))).toEqual([]);
      expect(await tokensOf(await call(bench, `/v1/tasks/${task}/${path}?after=4000`))).toEqual([]);
    },
  );

  test('by the header that browsers send, which tells more than the address they began with', async () => {
    const bench = await start();
    const task = await submitted(bench);
    const again = (id: string, query = ''): Promise<Response> =>
      call(bench, `/v1/tasks/${task}/stream${query}`, { headers: { 'last-event-id': id } });
    expect(await tokensOf(await again('6'))).toEqual(numbered.slice(7));
    expect(await tokensOf(await again('6', '?after=2'))).toEqual(numbered.slice(7));
    expect(await tokensOf(await again(''))).toEqual(numbered);
  });

  test('from a chat stream, whose events say where it was', async () => {
    const bench = await start();
    const body = chatBody({ stream: true });
    const text = await (await call(bench, '/v1/chat/completions', { body })).text();
    const chunks = text.split('\n\n').filter((block) => block.startsWith('id: '));
    expect(chunks.map((block) => Number(/^id: (\d+)\ndata: /.exec(block)?.[1]))).toEqual(
      benchTokens.map((_, at) => at),
    );
    const task = /"id":"chatcmpl-(0x)?([0-9a-f]{64})"/.exec(chunks[4] ?? '')?.[2];
    const rest = await tokensOf(await call(bench, `/v1/tasks/0x${task}/stream?after=4`));
    expect(rest).toEqual(numbered.slice(5));
  });

  test('as a socket', async () => {
    const bench = await start();
    const task = await submitted(bench);
    const url = `${bench.url.replace('http', 'ws')}/v1/tasks/${task}/stream?after=7`;
    const socket = new WebSocket(url, { headers: { authorization: 'Bearer rich-key' } });
    const texts: string[] = [];
    socket.on('message', (data: Buffer) => {
      const update = JSON.parse(data.toString()) as { type: string; text: string };
      if (update.type === 'token') texts.push(update.text);
    });
    const [code] = (await once(socket, 'close')) as [number];
    expect(code).toBe(1_000);
    expect(texts).toEqual(benchTokens.slice(8));
  });

  test.each(['-1', 'abc', '1.5', '', '1e3', '99999999999', '1&after=2'])('is refused after %j', async (after) => {
    const bench = await start();
    const task = await submitted(bench);
    for (const path of ['stream', 'events']) {
      const refused = await call(bench, `/v1/tasks/${task}/${path}?after=${after}`);
      expect(await errorOf(refused, 400)).toMatchObject({ code: 'invalid_request', param: 'after' });
    }
    const url = `${bench.url.replace('http', 'ws')}/v1/tasks/${task}/stream?after=${after}`;
    const socket = new WebSocket(url, { headers: { authorization: 'Bearer rich-key' } });
    const [error] = (await once(socket, 'error')) as [Error];
    expect(error.message).toContain('400');
  });

  test.each(['stream', 'events'])('waits for the verdict where it asks for that: /%s', async (path) => {
    const bench = await start();
    const task = await submitted(bench);
    const kinds = async (query: string): Promise<string> => {
      const events = await eventsOf(await call(bench, `/v1/tasks/${task}/${path}${query}`));
      return events.map(({ event, data }) => ('state' in data ? String(data.state) : event)).join(' ');
    };
    expect(await kinds('?delivery=verified&after=3')).toMatch(/ settled (token ){6}done verdict$/);
    expect(await kinds('?delivery=fast&after=3')).toMatch(/ (token ){6}.*done .*settled verdict$/);
  });

  test.each(['', 'slow', 'verified&delivery=fast'])('is refused with the delivery %j', async (delivery) => {
    const bench = await start();
    const task = await submitted(bench);
    for (const path of ['stream', 'events']) {
      const refused = await call(bench, `/v1/tasks/${task}/${path}?delivery=${delivery}`);
      expect(await errorOf(refused, 400)).toMatchObject({ code: 'invalid_request', param: 'delivery' });
    }
  });

  test('is refused for a task that is unknown or another key’s', async () => {
    const bench = await start();
    const task = await submitted(bench);
    const unknown = await call(bench, `/v1/tasks/0x${'9'.repeat(64)}/stream?after=1`);
    expect(await errorOf(unknown, 404)).toMatchObject({ code: 'task_not_found' });
    const foreign = await call(bench, `/v1/tasks/${task}/stream?after=1`, {
      headers: { authorization: 'Bearer other-key' },
    });
    expect(await errorOf(foreign, 404)).toMatchObject({ code: 'task_not_found' });
    const bad = await call(bench, `/v1/tasks/${task}/stream`, { headers: { 'last-event-id': 'x' } });
    expect(await errorOf(bad, 400)).toMatchObject({ code: 'invalid_request', param: 'Last-Event-ID' });
  });
});

import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { limits } from '../../src/core/limits.ts';
import { call, chatBody, errorOf, type GatewayBench, gatewayBench } from './gateway-bench.ts';

let bench: GatewayBench;

beforeEach(async () => {
  bench = await gatewayBench({ limits: { httpReceiveMsMax: 300 }, tokenDelayMs: 5 });
});
afterEach(() => bench.close());

/** Sends these bytes and reads until the gateway closes the connection. */
async function exchange(...pieces: readonly string[]): Promise<string> {
  const { hostname, port } = new URL(bench.url);
  const socket = connect(Number(port), hostname);
  let answer = '';
  socket.on('data', (data: Buffer) => (answer += data.toString()));
  const closed = once(socket, 'close');
  await once(socket, 'connect');
  for (const piece of pieces) socket.write(piece);
  await closed;
  return answer;
}

const authorized = 'host: x\r\nauthorization: Bearer rich-key\r\n';
const headers = (more: string): string => `GET /v1/models HTTP/1.1\r\n${authorized}${more}\r\n\r\n`;
const post = (more: string, body: string): string =>
  `POST /v1/chat/completions HTTP/1.1\r\n${authorized}${more}\r\n\r\n${body}`;

describe('what is no request that can be read', () => {
  test.each([
    ['a malformed line', 'GARBAGE\r\n\r\n', 400, 'malformed_request'],
    ['a negative length', post('content-length: -1', ''), 400, 'malformed_request'],
    ['a length that is no number', post('content-length: ten', ''), 400, 'malformed_request'],
    ['a length and chunks', post('content-length: 2\r\ntransfer-encoding: chunked', '{}'), 400, 'malformed_request'],
    ['a chunk of no size', post('transfer-encoding: chunked', 'zz\r\n'), 400, 'malformed_request'],
    ['no host', 'GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n', 400, 'malformed_request'],
    ['another expectation', headers('expect: 200-ok\r\nconnection: close'), 417, 'expectation_failed'],
    ['large headers', headers(`x-large: ${'x'.repeat(limits.httpHeaderBytesMax)}`), 431, 'headers_too_large'],
  ])('is answered like any other error: %s', async (_what, sent, status, code) => {
    const [head = '', body = ''] = (await exchange(sent)).split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(head).toMatch(/^x-request-id: req_[0-9a-f]{32}$/im);
    expect(head).toMatch(/^x-should-retry: false$/im);
    expect(head).toContain(`content-length: ${Buffer.byteLength(body)}`);
    expect(JSON.parse(body)).toMatchObject({ error: { code, type: 'invalid_request_error' } });
  });

  test('because it does not arrive is answered once its time is over', async () => {
    const answer = await exchange(post('content-length: 100', '{'));
    expect(answer).toMatch(/^HTTP\/1.1 408 Request Timeout\r\n/);
    expect(answer).toContain('"code":"request_incomplete"');
  });

  test('after a good one does not speak into the answer that is under way', async () => {
    const stream = chatBody({ stream: true });
    const sent = post(`content-length: ${stream.length}`, stream);
    const whole = await exchange(sent.replace('host: x', 'host: x\r\nconnection: close'));
    expect(whole).toContain('[DONE]');
    const { hostname, port } = new URL(bench.url);
    const socket = connect(Number(port), hostname);
    let answer = '';
    socket.on('data', (data: Buffer) => (answer += data.toString()));
    socket.write(sent);
    await once(socket, 'data');
    socket.write('GARBAGE\r\n\r\n');
    await once(socket, 'close');
    expect(answer).toContain('HTTP/1.1 200 OK');
    expect(answer).not.toContain('malformed_request');
  });
});

describe('a request to change the protocol', () => {
  test('to a WebSocket is refused, before the upgrade, where there is none', async () => {
    const refusal = async (path: string): Promise<Readonly<Record<string, unknown>>> => {
      const socket = new WebSocket(bench.url.replace('http', 'ws') + path, {
        headers: { authorization: 'Bearer rich-key' },
      });
      socket.on('error', () => {});
      const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
      let text = '';
      for await (const data of response) text += String(data);
      const { error } = JSON.parse(text) as { error: Record<string, unknown> };
      return { status: response.statusCode, code: error['code'], id: response.headers['x-request-id'] };
    };
    const id = expect.stringMatching(/^req_/) as string;
    expect(await refusal('/v1/models')).toEqual({ status: 400, code: 'not_a_websocket', id });
    expect(await refusal('/healthz')).toEqual({ status: 400, code: 'not_a_websocket', id });
    expect(await refusal('/v1/nowhere')).toEqual({ status: 404, code: 'unknown_endpoint', id });
  });

  test('to anything else is left out: the request is answered as it is', async () => {
    const answer = await exchange(headers('connection: upgrade, close\r\nupgrade: h2c'));
    expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(answer).toContain('"object":"list"');
  });
});

describe('a body', () => {
  test('that is not UTF-8 is refused: nothing in it is replaced in silence', async () => {
    const [before = '', after = ''] = chatBody().split('Count.');
    const body = Buffer.concat([Buffer.from(before), Buffer.from([0xc3, 0x28]), Buffer.from(after)]);
    const refused = await call(bench, '/v1/chat/completions', { body });
    expect(await errorOf(refused, 400)).toMatchObject({ code: 'invalid_encoding', type: 'invalid_request_error' });
    const cut = Buffer.from(chatBody().replace('Count.', 'é')).subarray(0, -6);
    expect(await errorOf(await call(bench, '/v1/chat/completions', { body: cut }), 400)).toMatchObject({
      code: 'invalid_json',
    });
  });

  test('that is not there is said to be missing', async () => {
    const absent = await errorOf(await call(bench, '/v1/chat/completions', { method: 'POST' }), 400);
    expect(absent).toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining('has no body') as string,
    });
  });
});

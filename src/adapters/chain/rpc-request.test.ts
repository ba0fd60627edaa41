import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HttpRequestError, ResponseBodyTooLargeError, RpcRequestError, TimeoutError } from 'viem';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../../core/limits.ts';
import { type RpcEndpoint, rpcRequest } from './rpc-request.ts';

let server: Server;
let endpoint: RpcEndpoint;
let answer: (text: string, response: ServerResponse, request: IncomingMessage) => void;
const connections = new Set<unknown>();

beforeEach(async () => {
  connections.clear();
  server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    request.on('end', () => answer(text, response, request));
  });
  server.on('connection', (socket) => connections.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  endpoint = { url: new URL(`http://127.0.0.1:${port}/`), timeoutMs: 5_000 };
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const ask = (signal?: AbortSignal): Promise<unknown> =>
  rpcRequest(endpoint, { method: 'eth_test', params: ['é', 1] }, signal);

describe('a JSON-RPC request', () => {
  test('sends method and parameters and gives the result, over one kept connection', async () => {
    const asked: { id: number }[] = [];
    answer = (text, response) => {
      asked.push(JSON.parse(text) as { id: number });
      response.end(JSON.stringify({ jsonrpc: '2.0', id: 1, result: { deep: ['ü'] } }));
    };
    expect(await ask()).toEqual({ deep: ['ü'] });
    expect(await ask()).toEqual({ deep: ['ü'] });
    const sent = { jsonrpc: '2.0', method: 'eth_test', params: ['é', 1] };
    expect(asked).toMatchObject([sent, sent]);
    expect(new Set(asked.map(({ id }) => id)).size).toBe(2);
    expect(connections.size).toBe(1);
  });

  test('throws the error that the node answers, whatever the status', async () => {
    const error = { code: -32_000, message: 'nonce too low', data: '0x01' };
    for (const status of [200, 400, 500]) {
      answer = (_, response) => response.writeHead(status).end(JSON.stringify({ jsonrpc: '2.0', id: 1, error }));
      const thrown = await ask().catch((caught: unknown) => caught);
      expect(thrown).toBeInstanceOf(RpcRequestError);
      expect(thrown).toMatchObject({ code: -32_000, details: 'nonce too low', data: '0x01' });
    }
  });

  test('throws an HTTP error with the status of what is no answer of a node', async () => {
    answer = (_, response) => response.writeHead(503).end('<html>busy</html>');
    await expect(ask()).rejects.toMatchObject({ name: 'HttpRequestError', status: 503, details: '<html>busy</html>' });
    answer = (_, response) => response.writeHead(429).end('{}');
    await expect(ask()).rejects.toMatchObject({ name: 'HttpRequestError', status: 429 });
    answer = (_, response) => response.end('not JSON');
    await expect(ask()).rejects.toMatchObject({ name: 'HttpRequestError', status: undefined });
  });

  test('throws an HTTP error where the connection is cut or refused', async () => {
    answer = (_, __, request) => request.socket.destroy();
    await expect(ask()).rejects.toBeInstanceOf(HttpRequestError);
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{"res');
      setTimeout(() => response.destroy(), 20);
    };
    await expect(ask()).rejects.toBeInstanceOf(HttpRequestError);
    endpoint = { ...endpoint, url: new URL('http://127.0.0.1:1/') };
    await expect(ask()).rejects.toBeInstanceOf(HttpRequestError);
  });

  test('takes its time and no more, also in the middle of an answer', async () => {
    endpoint = { ...endpoint, timeoutMs: 50 };
    answer = () => undefined;
    await expect(ask()).rejects.toBeInstanceOf(TimeoutError);
    answer = (_, response) => response.writeHead(200).write('{"res');
    await expect(ask()).rejects.toBeInstanceOf(TimeoutError);
  });

  test('ends when its signal is aborted', async () => {
    const stop = new AbortController();
    answer = () => stop.abort();
    await expect(ask(stop.signal)).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('takes an answer at its bound and none beyond', async () => {
    const whole = (bytes: number): string => `{"result":"${'x'.repeat(bytes - '{"result":""}'.length)}"}`;
    answer = (_, response) => response.end(whole(limits.chainAnswerBytesMax));
    expect(await ask()).toHaveLength(limits.chainAnswerBytesMax - '{"result":""}'.length);
    answer = (_, response) => response.end(whole(limits.chainAnswerBytesMax + 1));
    await expect(ask()).rejects.toBeInstanceOf(ResponseBodyTooLargeError);
  });
});

import { afterEach, beforeEach, expect, test } from 'vitest';
import { type JsonRpcServer, startJsonRpcServer } from '../../../test/kit/json-rpc-server.ts';
import { createRpcClient, nodeAnswer, type RpcClient } from './rpc-client.ts';

/** What nodes answer about a block that they do not have: anvil, geth, EIP-1474. */
const missing = [
  { code: -32602, message: 'BlockOutOfRangeError: block height is 70 but requested was 71' },
  { code: -32000, message: 'header not found' },
  { code: -32001, message: 'Resource not found' },
];

let server: JsonRpcServer;
let url: string;
let answers: object[];
let asked: number;

beforeEach(async () => {
  answers = [];
  asked = 0;
  server = await startJsonRpcServer(() => {
    asked += 1;
    return answers[Math.min(asked, answers.length) - 1];
  });
  url = server.url;
});

afterEach(() => server.close());

const read = (client: RpcClient): Promise<unknown> =>
  client.request({ method: 'eth_getBalance', params: ['0x00000000000000000000000000000000000000aa', '0x47'] });

test('a block that a node has named and cannot be asked about yet is asked for again', async () => {
  answers = [...missing.map((error) => ({ error })), { result: '0x5' }];
  expect(await read(createRpcClient({ url, retryMs: 5_000 }))).toBe('0x5');
  expect(asked).toBe(4);
});

test('one that does not come is what the node says after a while, and at once where nothing is to be tried again', async () => {
  answers = missing.slice(0, 1).map((error) => ({ error }));
  const once = await read(createRpcClient({ url, retryMs: 0 })).catch((error: unknown) => error);
  expect(nodeAnswer(once)).toMatchObject({ code: -32602, message: missing[0]?.message });
  expect(asked).toBe(1);
  const later = await read(createRpcClient({ url, retryMs: 60_000 })).catch((error: unknown) => error);
  expect(nodeAnswer(later)).toMatchObject({ code: -32602 });
  expect(asked).toBeGreaterThan(4);
});

test('any other answer is final', async () => {
  answers = [{ error: { code: 3, message: 'execution reverted', data: '0x1234' } }, { result: '0x5' }];
  const error = await read(createRpcClient({ url, retryMs: 5_000 })).catch((failure: unknown) => failure);
  expect(nodeAnswer(error)).toEqual({ code: 3, message: 'execution reverted', data: '0x1234' });
  expect(asked).toBe(1);
});

import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { limits } from '../../core/limits.ts';
import { readLogs } from './logs.ts';
import { createRpcClient, type RpcClient } from './rpc-client.ts';

/** The most blocks one query of this test's node may span. */
let allowed: number;
let asked: number[];
let server: Server;
let client: RpcClient;

beforeEach(async () => {
  asked = [];
  server = createServer((request, response) => {
    void (async () => {
      let text = '';
      for await (const chunk of request.setEncoding('utf8')) text += String(chunk);
      const { id, params } = JSON.parse(text) as { id: number; params: [{ fromBlock: string; toBlock: string }] };
      const [from, to] = [Number(params[0].fromBlock), Number(params[0].toBlock)];
      asked.push(to - from + 1);
      const logs = Array.from({ length: to - from + 1 }, (_, index) => ({
        blockNumber: `0x${(from + index).toString(16)}`,
      }));
      const error = { code: -32_005, message: 'query returned more than 10000 results' };
      response.end(JSON.stringify({ jsonrpc: '2.0', id, ...(logs.length > allowed ? { error } : { result: logs }) }));
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  client = createRpcClient({ url: `http://127.0.0.1:${port}`, retryMs: 0 });
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function blocksRead(from: number, to: number): Promise<number[]> {
  const logs = await readLogs(client, { addresses: [], topics: [] }, from, to);
  return logs.map((log) => Number(log.blockNumber));
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

test('asks for long ranges in pieces of the bound', async () => {
  allowed = limits.chainLogRangeBlocksMax;
  const last = limits.chainLogRangeBlocksMax + 10;
  expect(await blocksRead(0, last)).toEqual(range(0, last));
  expect(asked).toEqual([limits.chainLogRangeBlocksMax, 11]);
});

test('halves a piece that a node finds too long, and keeps the order', async () => {
  allowed = 3;
  expect(await blocksRead(5, 15)).toEqual(range(5, 15));
  expect(Math.max(...asked)).toBe(11);
});

test('gives up where a node refuses a single block', async () => {
  allowed = 0;
  await expect(blocksRead(5, 6)).rejects.toThrow('limit');
});

test('asks for nothing where there is nothing to ask for', async () => {
  expect(await blocksRead(6, 5)).toEqual([]);
  expect(asked).toEqual([]);
});

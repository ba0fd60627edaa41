import { afterEach, beforeEach, expect, test } from 'vitest';
import { type JsonRpcServer, startJsonRpcServer } from '../../../test/kit/json-rpc-server.ts';
import { limits } from '../../core/limits.ts';
import { readLogs } from './logs.ts';
import { createRpcClient, type RpcClient } from './rpc-client.ts';

/** The most blocks one query of this test's node may span. */
let allowed: number;
let asked: number[];
let server: JsonRpcServer;
let client: RpcClient;

beforeEach(async () => {
  asked = [];
  server = await startJsonRpcServer(({ params }) => {
    const [filter] = params as [{ fromBlock: string; toBlock: string }];
    const [from, to] = [Number(filter.fromBlock), Number(filter.toBlock)];
    asked.push(to - from + 1);
    const logs = Array.from({ length: to - from + 1 }, (_, index) => ({
      blockNumber: `0x${(from + index).toString(16)}`,
    }));
    const error = { code: -32_005, message: 'query returned more than 10000 results' };
    return logs.length > allowed ? { error } : { result: logs };
  });
  client = createRpcClient({ url: server.url, retryMs: 0 });
});
afterEach(() => server.close());

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

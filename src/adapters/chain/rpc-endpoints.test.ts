import { HttpRequestError } from 'viem';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type JsonRpcServer, startJsonRpcServer } from '../../../test/kit/json-rpc-server.ts';
import { RpcEndpoints } from './rpc-endpoints.ts';

/** A node whose newest block, and whether it answers, a test decides. */
class Node {
  head = 1;
  /** The methods of which it loses the requests. */
  lost: readonly string[] = [];
  /** What it waits for before it answers whether it has a block. */
  hold: Promise<void> = Promise.resolve();
  readonly asked: string[] = [];
  #server: JsonRpcServer | undefined;

  /** Starts it and says where. */
  async listen(): Promise<string> {
    this.#server = await startJsonRpcServer(async ({ method }) => {
      this.asked.push(method);
      if (this.lost.includes(method)) return undefined;
      // Which block an answer is of is known when it is asked for.
      const number = `0x${this.head.toString(16)}`;
      if (method !== 'eth_getBlockByNumber') return { result: number };
      await this.hold;
      return { result: { number, hash: number } };
    });
    return this.#server.url;
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }
}

let first: Node;
let second: Node;
beforeEach(() => {
  first = new Node();
  second = new Node();
});
afterEach(async () => {
  await first.close();
  await second.close();
});

const answerMs = 5_000;
const read = async (endpoints: RpcEndpoints): Promise<number> =>
  Number(await endpoints.request({ method: 'eth_call', params: [{}, 'latest'] }, answerMs));

/** The second one is found well and asked for one more hash; meanwhile a newer block is read at the first one, which fails then. */
async function overtaken() {
  const changes: string[] = [];
  const endpoints = new RpcEndpoints([await first.listen(), await second.listen()], {
    lookEveryMs: 0,
    onChange: ({ reason }) => changes.push(reason),
  });
  await endpoints.request({ method: 'eth_getBlockByNumber', params: ['latest', false] }, answerMs);
  await expect.poll(() => second.asked).toContain('eth_blockNumber');
  await new Promise((resolve) => setTimeout(resolve, 50));
  const { promise, resolve: answerNow } = Promise.withResolvers<void>();
  second.hold = promise;
  second.asked.length = 0;
  await read(endpoints);
  await expect.poll(() => second.asked).toContain('eth_getBlockByNumber');
  first.head = 2;
  expect(await read(endpoints)).toBe(2);
  first.lost = ['eth_call'];
  const reading = read(endpoints).catch((error: unknown) => error);
  await expect.poll(() => first.asked.filter((method) => method === 'eth_call')).toHaveLength(3);
  return { changes, endpoints, reading, answerNow };
}

test('an examination that a newer block overtook is not gone by: the endpoint may lack it', async () => {
  const { changes, endpoints, reading, answerNow } = await overtaken();
  answerNow();
  expect(await reading).toBeInstanceOf(HttpRequestError);
  expect(changes).toEqual([]);
  second.head = 2;
  expect(await read(endpoints)).toBe(2);
  expect(changes).toEqual(['the one before does not answer']);
});

test('one that has caught up while it was examined takes over within the request', async () => {
  const { changes, reading, answerNow } = await overtaken();
  second.head = 2;
  answerNow();
  expect(await reading).toBe(2);
  expect(changes).toEqual(['the one before does not answer']);
});

test('an endpoint is held to what is said of the chain, also where it is looked at already', async () => {
  const endpoints = new RpcEndpoints([await first.listen(), await second.listen()], { lookEveryMs: 0 });
  const { promise, resolve } = Promise.withResolvers<void>();
  second.hold = promise;
  await endpoints.request({ method: 'eth_getBlockByNumber', params: ['latest', false] }, answerMs);
  await expect.poll(() => second.asked).toContain('eth_getBlockByNumber');
  const pinned = endpoints.pin({ chainId: 1, blocks: [{ number: 1, hash: '0x00' }] }).catch((error: unknown) => error);
  resolve();
  expect(await pinned).toMatchObject({ code: 'wrong_chain' });
});

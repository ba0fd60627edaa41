import { globSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../../src/cli/cluster/cluster-network.ts';
import type { NodeChild } from '../../src/cli/cluster/node-child.ts';
import { present } from '../../src/core/assert.ts';
import { scratch } from '../kit/local-network.ts';

// Two routers as processes of their own over NATS, one session that one of them owns.

const place = scratch('resume');
const story = { prompt: 'Tell me a story about a fox and a river.', max_tokens: 200 };
let cluster: Cluster;
let owner: NodeChild;
let other: NodeChild;

interface Token {
  readonly index: number;
  readonly text: string;
}

interface TaskBody {
  readonly id: string;
  readonly state: string;
  readonly text: string | null;
}

const urlOf = ({ ready }: NodeChild): string => present(ready['url'], 'the endpoint of a router');

interface CallOptions {
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function call(router: NodeChild, path: string, options: CallOptions = {}): Promise<Response> {
  const headers = { authorization: `Bearer ${cluster.client.ready['apiKey']}`, ...options.headers };
  return fetch(`${urlOf(router)}${path}`, { ...options, headers });
}

async function json<Body>(response: Promise<Response>): Promise<Body> {
  return (await (await response).json()) as Body;
}

function submit(router: NodeChild, body: object, key: string): Promise<Response> {
  const path = `/v1/sessions/${cluster.client.ready['session']}/tasks`;
  return call(router, path, { method: 'POST', body: JSON.stringify(body), headers: { 'idempotency-key': key } });
}

/** Reads a task's stream until its end or until `onToken` has had enough. */
async function readStream(
  router: NodeChild,
  path: string,
  onToken: (token: Token) => void = () => {},
): Promise<{ text: string; tokens: Token[]; last: string }> {
  const response = await call(router, path);
  expect(response.status).toBe(200);
  const tokens: Token[] = [];
  let [text, last, rest] = ['', '', ''];
  const decoder = new TextDecoder();
  for await (const bytes of present(response.body, 'a body')) {
    const blocks = (rest + decoder.decode(bytes as Uint8Array, { stream: true })).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const data = block.split('\n').find((line) => line.startsWith('data: '));
      if (data === undefined) continue;
      const update = JSON.parse(data.slice(6)) as Token & { type: string };
      last = update.type;
      if (update.type === 'token' || update.type === 'done') text += update.text;
      if (update.type !== 'token') continue;
      tokens.push(update);
      onToken(update);
    }
  }
  return { text, tokens, last };
}

/** How many sessions a router owns, by its metrics. */
async function owned(router: NodeChild): Promise<number> {
  const metrics = await (await fetch(`${urlOf(router)}/metrics`)).text();
  return Number(/^pouw_sessions_owned(?:\{.*\})? (\d+)$/m.exec(metrics)?.[1] ?? 0);
}

/** Three steps, one after the other. */
const planned = {
  steps: [
    { name: 'first', prompt: 'Define dog.', max_tokens: 16 },
    { name: 'second', prompt: 'Define: {{first}}', after: ['first'], max_tokens: 24 },
    { name: 'third', prompt: 'Define: {{second}} {{first}}', after: ['second', 'first'], max_tokens: 16 },
  ],
};

async function submitPlan(router: NodeChild, requestId: string): Promise<string> {
  const body = JSON.stringify({ request_id: requestId, ...planned });
  const accepted = await call(router, '/v1/plans', { method: 'POST', body });
  expect(accepted.status).toBe(202);
  return ((await accepted.json()) as { id: string }).id;
}

async function expectSettled(router: NodeChild, plan: string): Promise<void> {
  const state = async (): Promise<unknown> => (await json<{ state: string }>(call(router, `/v1/plans/${plan}`))).state;
  await expect.poll(state, { timeout: 90_000, interval: 250 }).not.toBe('running');
  expect(await json(call(router, `/v1/plans/${plan}`))).toMatchObject({
    state: 'settled',
    steps: planned.steps.map(({ name }) => ({ name, state: 'settled' })),
  });
}

/** How many blocks of content a node has on its disk. */
const blocksOf = ({ options: { folder } }: NodeChild): number =>
  globSync(join(folder, 'blocks', '**', '*.data')).length;

beforeAll(async () => {
  cluster = await startCluster({
    folder: place.path,
    seed: 'resume',
    counts: { routers: 2, miners: 3, validators: 2, oracles: 1 },
    natsServers: 1,
    sessions: 1,
    model: 'pebble-chat',
    onStep: () => {},
  });
  const routers = cluster.nodes.filter(({ options: { role } }) => role === 'router');
  const counts = await Promise.all(routers.map(owned));
  owner = present(routers[counts.indexOf(1)], 'the owner');
  other = present(routers[counts.indexOf(0)], 'a router without a session');
});
afterAll(async () => {
  await cluster?.stop();
  place.remove();
});

describe('a router that does not own a session, as a process of its own', () => {
  it('shows the session, takes a task for it and relays its words as they come', async () => {
    const session = cluster.client.ready['session'];
    const [here, there] = await Promise.all(
      [other, owner].map((router) => json(call(router, `/v1/sessions/${session}`))),
    );
    expect(here).toEqual(there);
    const accepted = await submit(other, story, 'through the other');
    expect(accepted.status).toBe(202);
    const { id } = (await accepted.json()) as TaskBody;
    const { text, tokens, last } = await readStream(other, `/v1/tasks/${id}/stream`);
    const task = await json<TaskBody>(call(other, `/v1/tasks/${id}`));
    expect(task).toMatchObject({ id, state: 'settled', text });
    expect(last).toBe('verdict');
    expect(tokens.length).toBeGreaterThan(20);
    expect(tokens.map(({ index }) => index)).toEqual(tokens.map((_, index) => index));
  });

  it('answers OpenAI’s clients', async () => {
    const body = { model: 'pebble-chat', messages: [{ role: 'user', content: 'What is a dog?' }] };
    const answer = await json<{ choices: { message: { content: string } }[] }>(
      call(other, '/v1/chat/completions', { method: 'POST', body: JSON.stringify(body) }),
    );
    expect(answer.choices[0]?.message.content).toMatch(/^A dog is/);
    const asked = JSON.stringify({ model: 'pebble-embed', input: ['the sea', 'a tax form'] });
    const embedded = await json<{ data: object[] }>(call(other, '/v1/embeddings', { method: 'POST', body: asked }));
    expect(embedded.data).toHaveLength(2);
    // The ids of "the sea".
    const ids = JSON.stringify({ model: 'pebble-embed', input: [87, 262, 506, 68] });
    const decoded = await json<{ data: object[] }>(call(other, '/v1/embeddings', { method: 'POST', body: ids }));
    expect(decoded.data).toEqual(embedded.data.slice(0, 1));
  });

  it('gives the same request the same task as the owner does, and cancels', async () => {
    const body = { ...story, max_tokens: 190 };
    const [one, two] = [await submit(other, body, 'twice'), await submit(owner, body, 'twice')];
    const first = (await one.json()) as TaskBody & { created: boolean };
    const second = (await two.json()) as TaskBody & { created: boolean };
    expect([first.created, second.created]).toEqual([true, false]);
    expect(second.id).toBe(first.id);
    const reused = await submit(other, { ...body, prompt: 'Another.' }, 'twice');
    expect(reused.status).toBe(400);
    const cancelled = await call(other, `/v1/tasks/${first.id}`, { method: 'DELETE' });
    // A fast network may have answered meanwhile: then it is too late to cancel.
    expect([200, 403]).toContain(cancelled.status);
    const final = cancelled.status === 200 ? /refunded|settled/ : /settled/;
    await expect
      .poll(async () => (await json<TaskBody>(call(owner, `/v1/tasks/${first.id}`))).state, { timeout: 60_000 })
      .toMatch(final);
  });
});

describe('a router that is killed in the middle of a stream', () => {
  it('is followed by the other one, where the client goes on after the last token it has', async () => {
    const { id } = await json<TaskBody>(submit(owner, { ...story, max_tokens: 180 }, 'killed'));
    let have = '';
    let last = -1;
    const killed: Promise<void>[] = [];
    const reading = readStream(owner, `/v1/tasks/${id}/stream`, ({ index, text }) => {
      if (killed.length > 0) return;
      [have, last] = [have + text, index];
      if (index === 8) killed.push(owner.kill());
    });
    await expect(reading).rejects.toThrow('terminated');
    await Promise.all(killed);
    expect(last).toBe(8);
    const resumed = await readStream(other, `/v1/tasks/${id}/stream?after=${last}`);
    expect(resumed.last).toBe('verdict');
    expect(resumed.tokens[0]?.index).toBe(9);
    const task = await json<TaskBody>(call(other, `/v1/tasks/${id}`));
    expect(task.state).toBe('settled');
    expect(have + resumed.text).toBe(task.text);
    expect(await owned(other)).toBe(1);
  });

  it('leaves a network that takes tasks', async () => {
    const { id } = await json<TaskBody>(submit(other, { prompt: 'Define water.', max_tokens: 40 }, 'after the death'));
    const { text, last } = await readStream(other, `/v1/tasks/${id}/stream`);
    expect(last).toBe('verdict');
    expect((await json<TaskBody>(call(other, `/v1/tasks/${id}`))).text).toBe(text);
  });
});

describe('a plan whose router dies for good', () => {
  it('goes on at the router that has come back meanwhile', async () => {
    const miners = cluster.nodes.filter(({ options: { role } }) => role === 'miner');
    for (const miner of miners) miner.pause(true);
    const had = blocksOf(owner);
    const plan = await submitPlan(other, 'away');
    await owner.start();
    await expect.poll(() => blocksOf(owner), { timeout: 90_000 }).toBe(had + planned.steps.length);
    await other.kill();
    for (const miner of miners) miner.pause(false);
    await expectSettled(owner, plan);
  });

  it('goes on at the other one, killed as soon as it has taken it', async () => {
    if (!other.isRunning) await other.start();
    // By the time this one is done, each of the two has heard the other.
    const { id } = await json<TaskBody>(submit(owner, { prompt: 'Define water.', max_tokens: 40 }, 'both are here'));
    await readStream(owner, `/v1/tasks/${id}/stream`);
    const plan = await submitPlan(owner, 'taken');
    await owner.kill();
    await expectSettled(other, plan);
    expect(await owned(other)).toBe(1);
  });
});

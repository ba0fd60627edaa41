import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock, systemRandom } from '../../src/adapters/local/system-clock.ts';
import { createGateway, type Gateway } from '../../src/gateway/gateway.ts';
import { scratch, startTestNetwork, type TestNetwork } from '../kit/local-network.ts';

const place = scratch('unreadable');
let on: TestNetwork;
let gateway: Gateway;
let url: string;

async function start(): Promise<void> {
  on = await startTestNetwork(place.path);
  gateway = createGateway({ network: on.network.front, clock: systemClock, random: systemRandom });
  ({ url } = await gateway.listen('127.0.0.1', 0));
}

async function stop(): Promise<void> {
  await gateway.close();
  await on.network.stop(5_000);
}

async function post(path: string, key: string, body: object): Promise<Response> {
  return fetch(`${url}${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${on.demo.apiKey}`,
      'content-type': 'application/json',
      'idempotency-key': key,
    },
    body: JSON.stringify(body),
  });
}

const chat = (key: string, stream = false): Promise<Response> =>
  post('/v1/chat/completions', key, {
    model: 'pebble-chat',
    messages: [{ role: 'user', content: 'What is a dog?' }],
    max_tokens: 8,
    stream,
    x_pouw: key === 'gone' ? { max_price_wei: '1000000000000000000' } : {},
  });
const embed = (): Promise<Response> =>
  post('/v1/embeddings', 'vectors', { model: on.network.engine.embedder, input: ['a dog'] });

/** The files of results whose text a predicate takes. */
function resultFiles(takes: (text: string) => boolean): string[] {
  const files = readdirSync(join(place.path, 'blocks'), { recursive: true, withFileTypes: true });
  return files
    .filter((file) => file.isFile() && file.name.endsWith('.data'))
    .map((file) => join(file.parentPath, file.name))
    .filter((path) => {
      const text = readFileSync(path, 'utf8');
      return text.includes('"kind":"result"') && takes(text);
    });
}

let damaged: string;
let gone: string;

// A restart forgets the words that were streamed: from then on a result is what its block says.
beforeAll(async () => {
  await start();
  const tasks: string[] = [];
  for (const key of ['damaged', 'gone']) {
    const answer = (await (await chat(key)).json()) as { x_pouw: { task: string } };
    tasks.push(answer.x_pouw.task);
  }
  [damaged = '', gone = ''] = tasks;
  if (!(await embed()).ok) throw new Error('nothing was embedded');
  await stop();
  for (const path of resultFiles((text) => text.includes(damaged)))
    writeFileSync(path, readFileSync(path, 'utf8').replace('"text":"', '"text":"x'));
  for (const path of resultFiles((text) => text.includes(gone) || text.includes(on.network.engine.embedder)))
    rmSync(path);
  await start();
});
afterAll(async () => {
  await stop();
  place.remove();
});

describe.each(['damaged', 'gone'])('an answer whose block is %s', (key) => {
  it('is refused with a code where it was to be shown whole', async () => {
    const answer = await chat(key);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ error: { code: 'result_unreadable' } });
  });

  it('is an error in a stream, and not an answer without words', async () => {
    const text = await (await chat(key, true)).text();
    expect(text).toContain('"code":"result_unreadable"');
    expect(text).not.toContain('"finish_reason":"stop"');
  });

  it('is told from an answer without words by the task itself', async () => {
    const answer = await fetch(`${url}/v1/tasks/${key === 'gone' ? gone : damaged}`, {
      headers: { authorization: `Bearer ${on.demo.apiKey}` },
    });
    expect(await answer.json()).toMatchObject({
      state: 'settled',
      text: null,
      unreadable: { code: key === 'gone' ? 'content_not_found' : 'content_corrupt' },
    });
  });
});

it('vectors that cannot be read are refused with the same code', async () => {
  const answer = await embed();
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ error: { code: 'result_unreadable' } });
});

import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Body, httpClient } from '../kit/http-client.ts';
import { scratch } from '../kit/local-network.ts';
import { killLeftovers, startPouw, type StartedPouw } from '../kit/pouw-process.ts';

const place = scratch('log-unwritable');
const data = join(place.path, 'data');
let pouw: StartedPouw;

beforeAll(async () => {
  pouw = await startPouw(data);
});
afterAll(async () => {
  await killLeftovers(place.path);
  place.remove();
});

async function probe(path: string): Promise<[status: number, body: Body]> {
  const response = await fetch(pouw.ready.url + path);
  return [response.status, (await response.json()) as Body];
}

it('a network says that it takes no tasks while its log takes no writes, and goes on by itself', async () => {
  const client = httpClient(pouw.ready);
  expect(await probe('/healthz')).toMatchObject([200, { ready: true }]);
  expect(await probe('/readyz')).toMatchObject([200, { checks: { log: 'ok' } }]);
  // What a full disk does as well, and can be undone: no write succeeds.
  const foreign = new DatabaseSync(join(data, 'log.sqlite'));
  foreign.exec('BEGIN IMMEDIATE');
  await expect(client.submit('What is a dog?', 'dog')).rejects.toThrow(/^503: .*data_dir_in_use/);
  expect(await probe('/healthz')).toMatchObject([
    503,
    { status: 'unavailable', ready: false, reason: 'The event log cannot be written.' },
  ]);
  expect(await probe('/readyz')).toMatchObject([503, { missing: ['log'], checks: { log: 'data_dir_in_use' } }]);
  foreign.exec('ROLLBACK');
  foreign.close();
  const giveUpAt = performance.now() + 60_000;
  while ((await probe('/healthz'))[0] !== 200 && performance.now() < giveUpAt) await sleep(200);
  expect(await probe('/healthz')).toMatchObject([200, { ready: true }]);
  expect(await probe('/readyz')).toMatchObject([200, { checks: { log: 'ok' } }]);
  const { id } = await client.submit('What is a dog?', 'dog');
  const updates: Body[] = [];
  for await (const update of client.events(id)) {
    updates.push(update);
    if (update['type'] === 'verdict') break;
  }
  expect(updates.at(-1)).toMatchObject({ type: 'verdict' });
  pouw.kill('SIGINT');
  expect(await pouw.ended).toMatchObject({ code: 0 });
});

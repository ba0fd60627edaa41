import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { httpClient } from '../kit/http-client.ts';
import { anvilPid, killLeftovers, processesNaming, spawnPouw, startPouw } from '../kit/pouw-process.ts';
import { scratch } from '../kit/local-network.ts';

const place = scratch('chain-lost');
afterAll(async () => {
  await killLeftovers(place.path);
  place.remove();
});

/** What anything still waits for, a chain or a deadline of a task, takes half a minute and more. */
const endsWithinMs = 15_000;

/** Reads what a connection gives until it ends, however. */
async function watch(updates: AsyncIterable<unknown>): Promise<void> {
  try {
    for await (const _ of updates);
  } catch {
    // It was cut.
  }
}

it('a network whose chain dies says so and ends; the next start goes on', async () => {
  const first = await startPouw(place.path);
  process.kill(anvilPid(place.path), 'SIGKILL');
  const { code, stderr } = await first.ended;
  expect(code).toBe(1);
  expect(stderr).toContain('error chain_lost');
  const second = await startPouw(place.path);
  expect(second.ready.apiKey).toBe(first.ready.apiKey);
  second.kill('SIGINT');
  expect((await second.ended).code).toBe(0);
  expect(processesNaming(place.path)).toEqual([]);
});

it('a start whose chain dies says so and ends; the next start goes on', async () => {
  for (const afterMs of [150, 400, 700]) {
    const pouw = spawnPouw(['start', '--json', '--data', place.path, '--port', '0']);
    const anvils = (): number[] => processesNaming(join(place.path, 'chain', 'anvil-cache'));
    await expect.poll(() => anvils().length, { timeout: 60_000, interval: 5 }).toBe(1);
    await sleep(afterMs);
    for (const pid of anvils()) process.kill(pid, 'SIGKILL');
    const ended = await Promise.race([pouw.ended, sleep(endsWithinMs, undefined, { ref: false })]);
    // Before it answers it has failed to start; just after that its state may be what is missed first.
    const codes = expect.stringMatching(/error (chain_lost|anvil_failed|chain_state_unsaved)/) as string;
    expect(ended).toMatchObject({ code: 1, stderr: codes });
  }
});

it('a network whose chain dies ends at once with tasks under way and clients that wait, and the tasks end after the next start', async () => {
  const first = await startPouw(place.path);
  const client = httpClient(first.ready);
  const ids = await Promise.all(['a', 'b', 'c'].map(async (key) => (await client.submit('What is a dog?', key)).id));
  const watching = watch(client.events(ids[0] ?? ''));
  for await (const update of client.events(ids[1] ?? '')) if (update['type'] === 'token') break;
  process.kill(anvilPid(place.path), 'SIGKILL');
  const ended = await Promise.race([first.ended, sleep(endsWithinMs, undefined, { ref: false })]);
  expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('error chain_lost') as string });
  await watching;
  const second = await startPouw(place.path);
  const again = httpClient(second.ready);
  for (const id of ids) for await (const update of again.events(id)) if (update['type'] === 'verdict') break;
  second.kill('SIGINT');
  expect((await second.ended).code).toBe(0);
});

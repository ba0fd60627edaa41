import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { scratch } from '../kit/local-network.ts';
import { killLeftovers, processesNaming, runPouw, spawnPouw } from '../kit/pouw-process.ts';

const place = scratch('cluster-stopped');
afterAll(async () => {
  await killLeftovers(place.path);
  place.remove();
});

const counts = ['--routers', '1', '--miners', '3', '--validators', '2', '--oracles', '1', '--sessions', '1'];
const tasks = ['--tasks', '500', '--concurrency', '1', '--chaos', 'heavy', '--seed', 'stopped'];

it('a cluster in the middle of its chaos stops when it is told to, and leaves nothing running', async () => {
  const data = join(place.path, 'cluster');
  const pouw = spawnPouw(['cluster', ...counts, ...tasks, '--data', data]);
  // The client is started last; its log file is there from its first line on.
  const clientRuns = (): boolean => existsSync(join(data, 'client', 'pouw.log'));
  await expect.poll(clientRuns, { timeout: 120_000, interval: 100 }).toBe(true);
  await sleep(8_000);
  pouw.kill('SIGTERM');
  const { code, stderr } = await pouw.ended;
  expect({ code, error: /^error (\w+):/m.exec(stderr)?.[1] }).toEqual({ code: 1, error: 'cluster_stopped' });
  expect(processesNaming(data)).toEqual([]);
});

it('a cluster that is killed leaves nothing running either', async () => {
  const data = join(place.path, 'killed');
  const pouw = spawnPouw(['cluster', ...counts, ...tasks, '--data', data]);
  const clientRuns = (): boolean => existsSync(join(data, 'client', 'pouw.log'));
  await expect.poll(clientRuns, { timeout: 120_000, interval: 100 }).toBe(true);
  pouw.kill('SIGKILL');
  await pouw.ended;
  await expect.poll(() => processesNaming(data), { timeout: 60_000, interval: 200 }).toEqual([]);
});

it('a cluster makes keys in a folder that has nothing in it, and in no other', async () => {
  const data = join(place.path, 'used');
  await runPouw(['keys', '--role', 'router', '--data', join(data, 'router-1')]);
  const file = join(data, 'router-1', 'keys.json');
  const before = readFileSync(file, 'utf8');
  writeFileSync(join(data, 'notes'), 'mine');
  const { code, stderr } = await runPouw(['cluster', ...counts, ...tasks, '--data', data]);
  expect({ code, error: /^error (\w+):/m.exec(stderr)?.[1] }).toEqual({ code: 1, error: 'data_dir_not_fresh' });
  expect(readFileSync(file, 'utf8')).toBe(before);
});

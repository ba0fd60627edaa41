import { afterAll, expect, it } from 'vitest';
import { anvilPid, killLeftovers, processesNaming, startPouw } from '../kit/pouw-process.ts';
import { scratch } from '../kit/local-network.ts';

const place = scratch('chain-lost');
afterAll(async () => {
  await killLeftovers(place.path);
  place.remove();
});

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

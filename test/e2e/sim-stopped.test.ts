import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { scratch } from '../kit/local-network.ts';
import { killLeftovers, processesNaming, spawnPouw } from '../kit/pouw-process.ts';

const place = scratch('sim-stopped');
afterAll(async () => {
  await killLeftovers(place.path);
  place.remove();
});

it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('a simulation stops its chain at %s and says so', async (signal) => {
  const data = join(place.path, signal);
  const pouw = spawnPouw(['sim', '--tasks', '10000', '--model', 'pebble-mini', '--data', data]);
  const hasContracts = (): boolean => existsSync(join(data, 'chain', 'deployment.json'));
  await expect.poll(hasContracts, { timeout: 60_000, interval: 50 }).toBe(true);
  pouw.kill(signal);
  const { code, stderr } = await pouw.ended;
  expect({ code, error: /^error (\w+):/m.exec(stderr)?.[1] }).toEqual({ code: 1, error: 'simulation_stopped' });
  expect(processesNaming(data)).toEqual([]);
});

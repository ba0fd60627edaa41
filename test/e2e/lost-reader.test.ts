import { afterAll, expect, it } from 'vitest';
import { join } from 'node:path';
import { scratch } from '../kit/local-network.ts';
import { killLeftovers, processesNaming, runPouw, startPouw } from '../kit/pouw-process.ts';

const place = scratch('lost-reader');
afterAll(async () => {
  await killLeftovers(place.path);
  place.remove();
});

it.each(['SIGHUP', 'SIGINT'] as const)(
  'a network whose terminal is gone drains and stops its chain at %s',
  async (signal) => {
    const data = join(place.path, signal);
    const pouw = await startPouw(data);
    expect(processesNaming(data).length).toBeGreaterThan(1);
    pouw.leave();
    pouw.kill(signal);
    expect((await pouw.ended).code).toBe(0);
    expect(processesNaming(data)).toEqual([]);
    const { code, stdout } = await runPouw(['log', 'verify', data, '--json']);
    expect({ code, ok: (JSON.parse(stdout) as { ok: boolean }).ok }).toEqual({ code: 0, ok: true });
  },
);

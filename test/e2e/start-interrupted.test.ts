import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, expect, it } from 'vitest';
import { httpClient } from '../kit/http-client.ts';
import { scratch } from '../kit/local-network.ts';
import { anvilPid, killLeftovers, processesNaming, spawnPouw, startPouw } from '../kit/pouw-process.ts';

const place = scratch('interrupted');

afterAll(async () => {
  await killLeftovers(place.path);
  place.remove();
});

it('is told to stop while its chain does not answer, and does', async () => {
  const mute = createServer().listen(0, '127.0.0.1');
  await once(mute, 'listening');
  const { port } = mute.address() as { port: number };
  const data = join(place.path, 'mute');
  const pouw = spawnPouw(['start', '--data', data, '--port', '0', '--rpc', `http://127.0.0.1:${port}`]);
  const [socket] = (await once(mute, 'connection')) as [{ destroy: () => void }];
  pouw.kill('SIGINT');
  const { code, stdout, stderr } = await pouw.ended;
  socket.destroy();
  mute.close();
  expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
  expect(stderr).toContain('Stopping: the network was not up yet.');
  expect(stderr).not.toContain('error');
});

it('is killed as soon as its chain is a process: the next start ends what is left, and goes on', async () => {
  const data = join(place.path, 'killed');
  for (let kills = 0; kills < 3; kills += 1) {
    const pouw = spawnPouw(['start', '--json', '--data', data, '--port', '0']);
    const anvils = (): number => processesNaming(join(data, 'chain', 'anvil-cache')).length;
    await expect.poll(anvils, { timeout: 60_000, interval: 1 }).toBe(1);
    pouw.kill('SIGKILL');
    await pouw.ended;
    expect(anvils()).toBe(1);
  }
  const next = await startPouw(data);
  expect(processesNaming(join(data, 'chain', 'anvil-cache'))).toEqual([anvilPid(data)]);
  next.kill('SIGINT');
  expect((await next.ended).code).toBe(0);
  await expect.poll(() => processesNaming(data), { timeout: 5_000 }).toEqual([]);
});

it('is told to stop while its own chain starts; nothing stays behind, and the next start goes on', async () => {
  const data = join(place.path, 'own');
  const pouw = spawnPouw(['start', '--json', '--data', data, '--port', '0']);
  await expect.poll(() => existsSync(join(data, 'chain', 'anvil.json')), { timeout: 60_000 }).toBe(true);
  expect(processesNaming(data)).toContain(anvilPid(data));
  pouw.kill('SIGTERM');
  expect(await pouw.ended).toMatchObject({ code: 130, stdout: '', stderr: '' });
  await expect.poll(() => processesNaming(data), { timeout: 5_000 }).toEqual([]);

  const next = await startPouw(data);
  expect((await httpClient(next.ready).submit('What is a dog?', 'first')).id).toMatch(/^0x/);
  next.kill('SIGINT');
  expect((await next.ended).code).toBe(0);

  // What the network handed out to its routers, and how far it has read its chain, is in the log and on the chain too.
  const database = new DatabaseSync(join(data, 'log.sqlite'));
  expect(database.prepare('DELETE FROM cursors').run().changes).toBe(2);
  database.close();
  const again = await startPouw(data);
  expect((await httpClient(again.ready).submit('What is a cat?', 'second')).id).toMatch(/^0x/);
  again.kill('SIGINT');
  expect((await again.ended).code).toBe(0);
});

import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { freePort, isPortTaken, untilPortFree } from './port.ts';

test('a free port can be listened on, is taken then, and free again afterwards', async () => {
  const port = await freePort();
  expect(await isPortTaken(port)).toBe(false);
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve);
  });
  expect(await isPortTaken(port)).toBe(true);
  setTimeout(() => server.close(), 50);
  await untilPortFree(port);
  expect(await isPortTaken(port)).toBe(false);
});

test('free ports are below those of outgoing connections, where a client could meet itself', async () => {
  const ports = await Promise.all(Array.from({ length: 20 }, freePort));
  for (const port of ports) expect(port).toBeLessThan(32_768);
  expect(new Set(ports).size).toBeGreaterThan(15);
});

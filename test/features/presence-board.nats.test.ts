import { connect, type NatsConnection } from 'nats';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../src/adapters/local/system-clock.ts';
import { Bucket } from '../../src/adapters/nats/kv/bucket.ts';
import { openNatsPresenceBoard } from '../../src/adapters/nats/kv/presence-board.ts';
import { toAddress } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import type { PresenceBoard } from '../../src/ports/presence-board.ts';
import { sharedNatsServer } from '../kit/nats-server.ts';
import { presenceBoardFeatures } from './presence-board.features.ts';

const nats = sharedNatsServer();
const lastsMs = 1_500;
let boards = 0;
let root: string;
let connection: NatsConnection;
let board: PresenceBoard;

beforeEach(async () => {
  boards += 1;
  root = `board${boards}.v1`;
  connection = await connect({ servers: (await nats()).url });
  board = await openNatsPresenceBoard({ connection, root, clock: systemClock, lastsMs, onError: () => undefined });
});
afterEach(async () => {
  await board.close();
  await connection.close();
});

presenceBoardFeatures('NATS', async () => ({
  board,
  lastsMs,
  patienceMs: 15_000,
  pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  close: () => Promise.resolve(),
}));

test('shows every process the same, and leaves out what no node would say or say of another', async () => {
  const node = {
    role: 'miner',
    address: toAddress(`0x${'b'.repeat(40)}`),
    models: ['pebble'],
    version: '0.1.0',
    startedAt: 1_700_000_000_000,
    host: 'a machine',
    pid: 7,
  } as const;
  const bucket = await Bucket.open('node', { connection, root }, lastsMs);
  const odd = [
    'nonsense',
    '[]',
    JSON.stringify({ ...node, role: 'king' }),
    JSON.stringify({ ...node, models: Array.from({ length: limits.nodeModelsMax + 1 }, () => 'pebble') }),
    JSON.stringify({ ...node, pid: 'seven' }),
    JSON.stringify(node),
  ];
  await Promise.all(odd.map((text, index) => bucket.put(`router.0x${index}`, text)));
  await board.announce(node);
  const other = await openNatsPresenceBoard({ connection, root, clock: systemClock, lastsMs });
  expect(await other.list()).toEqual([node]);
  await other.close();
});

import { jetstreamManager } from '@nats-io/jetstream';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../src/adapters/local/system-clock.ts';
import { connectNats } from '../../src/adapters/nats/connect.ts';
import type { NatsLink } from '../../src/adapters/nats/link.ts';
import { prepareNatsNetwork } from '../../src/adapters/nats/prepare.ts';
import { natsNames } from '../../src/adapters/nats/store/names.ts';
import { addNodeChecks } from '../../src/cli/compose/node-checks.ts';
import { type NatsStores, openNatsStores } from '../../src/cli/compose/nats-stores.ts';
import type { NodeConfig } from '../../src/cli/config/schema.ts';
import { signerFromSeed } from '../../src/core/ed25519.ts';
import { toAddress } from '../../src/core/ids.ts';
import { ReadinessChecks } from '../../src/operations/readiness.ts';
import { silentLog } from '../../src/ports/log.ts';
import { sharedNatsServer } from '../kit/nats-server.ts';

const nats = sharedNatsServer();
const names = natsNames();
const readiness = new ReadinessChecks(systemClock, silentLog);
let link: NatsLink;
let stores: NatsStores;

const stateOfLog = async (): Promise<string | undefined> => (await readiness.report()).checks['log'];

/** Deletes a stream, hears what the router says of itself, and makes the stream again. */
async function without(stream: string): Promise<string | undefined> {
  const manager = await jetstreamManager(link.connection);
  await manager.streams.delete(stream);
  const said = await stateOfLog();
  await prepareNatsNetwork({ connection: link.connection });
  return said;
}

beforeAll(async () => {
  const { url } = await nats();
  link = await connectNats({ servers: url, name: 'router' });
  await prepareNatsNetwork({ connection: link.connection });
  const signer = signerFromSeed(new Uint8Array(32).fill(1));
  const owner = { role: 'router' as const, address: toAddress(`0x${'1'.repeat(40)}`), signer };
  const registry = { get: () => undefined, learn: async () => {} };
  const context = { log: silentLog, trust: { registry, onRefused: () => {} } };
  stores = await openNatsStores(link, { replicas: 1 } as NodeConfig, owner, context);
  stores.events.subscribe(1, () => undefined);
  addNodeChecks(readiness, { link, registry: { requireKnown: () => undefined }, stores });
});
afterAll(async () => {
  await stores.close();
  await link.close();
});

it('a router whose log, leases or queues are gone is not ready, and is again once they are there', async () => {
  expect(await readiness.report()).toEqual({ ready: true, checks: { nats: 'ok', log: 'ok' } });
  const bucket = `KV_${names.bucket('lease')}`;
  expect([await without(names.log), await without(bucket), await without(names.jobs)]).toEqual(
    Array.from({ length: 3 }, () => 'nats_not_prepared'),
  );
  expect(await stateOfLog()).toBe('ok');
});

it('a router whose servers are frozen is not ready, though its connection still stands', async () => {
  const server = await nats();
  server.pause();
  try {
    expect(link.isUp()).toBe(true);
    expect(await stateOfLog()).toMatch(/^(check_timeout|nats_unreachable)$/);
  } finally {
    server.resume();
  }
  await expect.poll(stateOfLog).toBe('ok');
});

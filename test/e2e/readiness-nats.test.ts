import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../src/adapters/local/system-clock.ts';
import { connectNats } from '../../src/adapters/nats/connect.ts';
import type { NatsLink } from '../../src/adapters/nats/link.ts';
import { prepareNatsNetwork } from '../../src/adapters/nats/prepare.ts';
import { renderServerConfig } from '../../src/adapters/nats/server/server-config.ts';
import { natsNames } from '../../src/adapters/nats/store/names.ts';
import { addNodeChecks } from '../../src/cli/compose/node-checks.ts';
import { keepPresent, type NatsStores, openNatsStores } from '../../src/cli/compose/nats-stores.ts';
import type { NodeConfig } from '../../src/cli/config/schema.ts';
import { signerFromSeed } from '../../src/core/ed25519.ts';
import { toAddress } from '../../src/core/ids.ts';
import { ReadinessChecks } from '../../src/operations/readiness.ts';
import { silentLog } from '../../src/ports/log.ts';
import { sharedNatsServer } from '../kit/nats-server.ts';

const nats = sharedNatsServer();
/** A server with room for little. */
const small = sharedNatsServer({
  render: ({ jetStream, ...settings }) =>
    renderServerConfig({ ...settings, ...(jetStream && { jetStream: { ...jetStream, maxFileBytes: 1_000_000 } }) }),
});
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

const signer = signerFromSeed(new Uint8Array(32).fill(1));
const owner = { role: 'router' as const, address: toAddress(`0x${'1'.repeat(40)}`), signer };

async function openOn(url: string): Promise<{ readonly link: NatsLink; readonly stores: NatsStores }> {
  const opened = await connectNats({ servers: url, name: 'router' });
  await prepareNatsNetwork({ connection: opened.connection });
  const registry = { get: () => undefined, learn: async () => {} };
  const context = { log: silentLog, trust: { registry, onRefused: () => {} }, onUnsound: () => {} };
  return { link: opened, stores: await openNatsStores(opened, { replicas: 1 } as NodeConfig, owner, context) };
}

beforeAll(async () => {
  ({ link, stores } = await openOn((await nats()).url));
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

it('a router that appends nothing is not ready while its servers have no room, and is again once they have', async () => {
  const opened = await openOn((await small()).url);
  const { connection } = opened.link;
  const checks = new ReadinessChecks(systemClock, silentLog);
  addNodeChecks(checks, { ...opened, registry: { requireKnown: () => undefined } });
  const stateOf = async (): Promise<string | undefined> => (await checks.report()).checks['log'];
  const withdraw = keepPresent(opened.stores.presence, owner, [], silentLog);
  try {
    expect(await stateOf()).toBe('ok');
    const fill = async (): Promise<void> => {
      for (;;) await jetstream(connection).publish(`${names.root}.evt.1.miner.x`, new Uint8Array(10_000));
    };
    await expect(fill()).rejects.toThrow('insufficient resources');
    await expect.poll(stateOf, { timeout: 20_000 }).toBe('disk_full');
    await (await jetstreamManager(connection)).streams.delete(names.log);
    await prepareNatsNetwork({ connection });
    await expect.poll(stateOf, { timeout: 20_000 }).toBe('ok');
  } finally {
    await withdraw();
    await opened.stores.close();
    await opened.link.close();
  }
});

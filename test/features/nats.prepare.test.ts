import { createUser, type KeyPair } from '@nats-io/nkeys';
import { afterEach, describe, expect, test } from 'vitest';
import { connectNats } from '../../src/adapters/nats/connect.ts';
import type { NatsEvent, NatsLink } from '../../src/adapters/nats/link.ts';
import { renderNatsConfig } from '../../src/adapters/nats/nats-config.ts';
import { inboxPrefixOf } from '../../src/adapters/nats/inbox-prefix.ts';
import { natsReplicas, prepareNatsNetwork, requireNatsNetwork } from '../../src/adapters/nats/prepare.ts';
import { toAddress } from '../../src/core/ids.ts';
import { sharedNatsServer } from '../kit/nats-server.ts';
import { pouwError } from './pouw-error.ts';

const roles = ['router', 'miner', 'validator', 'oracle', 'client'] as const;
const everybody = [...roles, 'operator', 'observer'] as const;
type Who = (typeof everybody)[number];

const keys = new Map<Who, KeyPair>(everybody.map((role) => [role, createUser()]));
const addressOf = (role: Who) => toAddress(`0x${String(everybody.indexOf(role)).repeat(40)}`);
const members = [...keys].map(([role, key]) => ({ role, address: addressOf(role), nkey: key.getPublicKey() }));
const nats = sharedNatsServer({ render: (settings) => renderNatsConfig(members, settings) });

const links: NatsLink[] = [];
const events: NatsEvent[] = [];

afterEach(async () => {
  for (const link of links.splice(0)) await link.close();
  events.length = 0;
});

async function as(role: Who): Promise<NatsLink['connection']> {
  const seed = new TextDecoder().decode(keys.get(role)?.getSeed());
  const { url: servers } = await nats();
  const link = await connectNats({ servers, name: role, nkeySeed: seed, inboxPrefix: inboxPrefixOf(addressOf(role)) });
  links.push(link);
  link.listen((event) => void events.push(event));
  return link.connection;
}

// One after the other: the network of this file is prepared once.
describe('what a network keeps on NATS', () => {
  test.each(roles)('a %s says that it is not there yet, as something to wait for', async (role) => {
    const refused = requireNatsNetwork({ connection: await as(role), role });
    await expect(refused).rejects.toEqual(pouwError('nats_not_prepared'));
    await expect(refused).rejects.toMatchObject({ class: 'unavailable' });
    expect(events).toEqual([]);
  });

  test.each(roles)('a %s may not make it', async (role) => {
    await expect(prepareNatsNetwork({ connection: await as(role) })).rejects.toEqual(pouwError('nats_forbidden'));
  });

  test('an observer is told too that there is nothing to look at', async () => {
    await expect(natsReplicas(await as('observer'))).rejects.toEqual(pouwError('nats_not_prepared'));
  });

  test('an operator makes it, and to do that again does no harm', async () => {
    const connection = await as('operator');
    await prepareNatsNetwork({ connection, models: ['m'] });
    await prepareNatsNetwork({ connection, models: ['m'] });
    expect(events).toEqual([]);
  });

  test.each(roles)('a %s then finds all that it needs, and asks for nothing it may not have', async (role) => {
    await requireNatsNetwork({ connection: await as(role), role });
    expect(events).toEqual([]);
  });

  test('whoever wants other replicas than there are is told of the difference', async () => {
    const refused = requireNatsNetwork({ connection: await as('router'), role: 'router', replicas: 3 });
    await expect(refused).rejects.toEqual(pouwError('nats_config_ignored'));
    expect(await natsReplicas(await as('observer'))).toBe(1);
  });
});

import { createUser, type KeyPair } from '@nats-io/nkeys';
import { afterAll, beforeAll } from 'vitest';
import { systemClock } from '../../src/adapters/local/system-clock.ts';
import { createNatsBus } from '../../src/adapters/nats/bus/nats-bus.ts';
import { connectNats } from '../../src/adapters/nats/connect.ts';
import type { NatsEvent, NatsLink } from '../../src/adapters/nats/link.ts';
import { renderNatsConfig } from '../../src/adapters/nats/nats-config.ts';
import { inboxPrefixOf } from '../../src/adapters/nats/inbox-prefix.ts';
import type { NatsPeer } from '../../src/adapters/nats/permissions.ts';
import { prepareNatsNetwork } from '../../src/adapters/nats/prepare.ts';
import { openNatsEventStore } from '../../src/adapters/nats/store/event-store.ts';
import { natsNames } from '../../src/adapters/nats/store/names.ts';
import { sessionId, streamId, toAddress } from '../../src/core/ids.ts';
import type { Bus } from '../../src/ports/bus.ts';
import { sharedNatsServer } from '../kit/nats-server.ts';
import { commitChain } from './commits.ts';

/** How long these tests wait for what must come, in milliseconds. */
export const patienceMs = 20_000;

/** The session that the peers have to do with, and its stream. */
export const session = sessionId(31_337, toAddress(`0x${'c'.repeat(40)}`), 7);
export const sessionStream = streamId('session', session);

/** The model that the miner serves, and one that only its rival does. */
export const model = 'org/chat-1.7';
export const otherModel = 'other';

/** What JetStream has of the network. */
export const names = natsNames();

/** One of each kind, and a rival of the miner. */
export const peers = {
  router: peer('router', '1'),
  miner: { ...peer('miner', '2'), models: [model] },
  rival: { ...peer('miner', '3'), models: [model, otherModel] },
  validator: peer('validator', '4'),
  oracle: peer('oracle', '5'),
  client: { ...peer('client', '6'), sessions: [session] },
  observer: peer('observer', '7'),
  operator: peer('operator', '8'),
} as const satisfies Record<string, NatsPeer>;

/** One of the peers. */
export type PeerName = keyof typeof peers;

/** A peer that is connected, and what it was refused and has reported. */
export interface ConnectedPeer {
  readonly link: NatsLink;
  readonly bus: Bus;
  readonly events: NatsEvent[];
  readonly errors: unknown[];
}

function peer<Kind extends NatsPeer['role']>(role: Kind, digit: string) {
  return { role, address: toAddress(`0x${digit.repeat(40)}`) };
}

/** A stream of events of one of the nodes. */
export function streamOf(name: Exclude<PeerName, 'observer' | 'operator'>): ReturnType<typeof streamId> {
  return streamId(peers[name].role, peers[name].address);
}

/**
 * A real server with the configuration of a network, its streams and buckets, and all peers connected: ready before
 * the first test of a file, gone after the last.
 */
export function natsNetwork(): Readonly<Record<PeerName, ConnectedPeer>> {
  const all = Object.keys(peers) as PeerName[];
  const keys = Object.fromEntries(all.map((name) => [name, createUser()])) as Record<PeerName, KeyPair>;
  const members = all.map((name) => ({ ...peers[name], nkey: keys[name].getPublicKey() }));
  const nats = sharedNatsServer({ render: (settings) => renderNatsConfig(members, settings) });
  const connected = {} as Record<PeerName, ConnectedPeer>;
  beforeAll(async () => {
    const { url } = await nats();
    for (const name of all) connected[name] = await connectPeer(url, name, keys[name]);
    await prepare(connected);
  });
  afterAll(async () => {
    for (const { bus, link } of Object.values(connected)) {
      await bus.drain();
      await link.close();
    }
  });
  return connected;
}

async function connectPeer(url: string, name: PeerName, key: KeyPair): Promise<ConnectedPeer> {
  const nkeySeed = new TextDecoder().decode(key.getSeed());
  const link = await connectNats({ servers: url, name, nkeySeed, inboxPrefix: inboxPrefixOf(peers[name].address) });
  const events: NatsEvent[] = [];
  const errors: unknown[] = [];
  link.listen((event) => void events.push(event));
  const bus = createNatsBus({ link, clock: systemClock, onError: (error) => void errors.push(error) });
  return { link, bus, events, errors };
}

/** What an operator sets up once: the log, the jobs with a consumer for each model, and the buckets. */
async function prepare({ operator, router, miner, rival }: Record<PeerName, ConnectedPeer>): Promise<void> {
  await prepareNatsNetwork({ connection: operator.link.connection, models: [model, otherModel] });
  // Something in the stream of each, for others to want to read.
  const streams = [
    [router, sessionStream],
    [miner, streamOf('miner')],
    [rival, streamOf('rival')],
  ] as const;
  for (const [{ link }, stream] of streams) {
    const log = await openNatsEventStore({ connection: link.connection, inboxPrefix: link.inboxPrefix });
    for (const commit of commitChain(stream, 1)) await log.append(commit);
    await log.close();
  }
}

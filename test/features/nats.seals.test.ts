import { connect, type NatsConnection } from 'nats';
import { afterAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/adapters/local/system-clock.ts';
import { Bucket } from '../../src/adapters/nats/kv/bucket.ts';
import { DoneMarks } from '../../src/adapters/nats/kv/done-marks.ts';
import { openNatsEffectJournal } from '../../src/adapters/nats/kv/effect-journal.ts';
import { openNatsLeases } from '../../src/adapters/nats/kv/leases.ts';
import { type BucketSeal, sealed } from '../../src/adapters/nats/kv/seal.ts';
import { openNatsSnapshots } from '../../src/adapters/nats/kv/snapshots.ts';
import { openNatsEventStore } from '../../src/adapters/nats/store/event-store.ts';
import { type Signer, signerFromSeed } from '../../src/core/ed25519.ts';
import { hashJson } from '../../src/core/hash.ts';
import { type Address, effectId, type Role, streamId, toAddress } from '../../src/core/ids.ts';
import { anchorLease, sessionsLease } from '../../src/core/lease-names.ts';
import { limits } from '../../src/core/limits.ts';
import { sharedNatsServer } from '../kit/nats-server.ts';
import { names, natsNetwork, peers } from './nats-network.ts';

const network = natsNetwork();
/** A server that lets everybody write everything, as those of before did with routers and leases. */
const open = sharedNatsServer();
const connections: NatsConnection[] = [];
afterAll(() => Promise.all(connections.map((connection) => connection.close())));

async function connectOpenly(): Promise<NatsConnection> {
  const connection = await connect({ servers: (await open()).url });
  connections.push(connection);
  return connection;
}

describe('what is written to a bucket by who may not sign for it', () => {
  const stream = streamId('session', 'another');
  const [seal, forger] = [sealOf('router'), sealOf('miner')];

  /** Each text as it is, and as a miner signs it; written with the rights of somebody whom the servers let write. */
  async function forge(
    connection: NatsConnection,
    name: 'lease' | 'done',
    text: string,
    check: () => Promise<void>,
  ): Promise<void> {
    const bucket = await Bucket.open(name, { connection });
    for (const value of [text, sealed(forger, `$KV.${names.bucket(name)}.${stream}`, text)]) {
      await bucket.put(stream, value);
      await check();
    }
    bucket.close();
  }

  test('is no lease, and fences go on growing', async () => {
    const connection = await connectOpenly();
    const leases = await openNatsLeases({ connection, clock: systemClock, seal });
    let fence = 0;
    await forge(
      connection,
      'lease',
      JSON.stringify({ owner: 'forged', ttlMs: limits.leaseMsMax, fence: 9e15 }),
      async () => {
        expect(await leases.holder(stream)).toBeUndefined();
        const lease = await leases.acquire(stream, 'a router', 60_000);
        expect(lease).toMatchObject({ owner: 'a router' });
        expect(lease!.fence).toBeGreaterThan(fence);
        ({ fence } = lease!);
        expect(fence).toBeLessThan(9e15);
        expect(await leases.renew(lease!, 60_000)).toMatchObject({ fence });
        await leases.release(lease!);
      },
    );
    leases.close();
  });

  test('counts of a session only from a router that the chain opened it with', async () => {
    const { connection } = network.router.link;
    const opened = streamId('session', '31337-abcdef01-7');
    const learned: string[] = [];
    const openingsOf = (routers: readonly Address[]): NonNullable<BucketSeal['registry']['openings']> => {
      return {
        get: (session) => (learned.includes(session) ? routers : undefined),
        learn: async (claims) => void learned.push(...claims.map(({ session }) => session)),
      };
    };
    const reading = sealOf('miner');
    const asked = (routers: readonly Address[]): BucketSeal => {
      return { ...reading, registry: { ...reading.registry, openings: openingsOf(routers) } };
    };
    const bucket = await Bucket.open('done', { connection, seal });
    await bucket.put(opened, 'done');
    const read = async (routers: readonly Address[]): Promise<string | undefined> => {
      const other = await Bucket.open('done', { connection, seal: asked(routers) });
      const { value } = await other.get(opened);
      other.close();
      return value === undefined ? undefined : Buffer.from(value).toString();
    };
    expect(await read([peers.router.address])).toBe('done');
    expect(await read([peers.rival.address])).toBeUndefined();
    expect(learned).toContain('31337-abcdef01-7');
    bucket.close();
  });

  test('is no snapshot, and says of no effect that it is done', async () => {
    const { connection } = network.router.link;
    const events = await openNatsEventStore({ connection });
    const [snapshots, unsealed] = [
      await openNatsSnapshots({ connection, seal }),
      await openNatsSnapshots({ connection }),
    ];
    const journal = await openNatsEffectJournal({ connection, events, seal });
    const state = { forged: true };
    const snapshot = {
      stream,
      version: 1,
      commitHash: hashJson(1),
      machineVersion: 1,
      stateHash: hashJson(state),
      state,
    };
    await unsealed.save(snapshot);
    expect(await unsealed.load(stream)).toEqual(snapshot);
    expect(await snapshots.load(stream)).toBeUndefined();
    await snapshots.save(snapshot);
    expect(await snapshots.load(stream)).toEqual(snapshot);
    const marks = new DoneMarks();
    marks.advance(1_000);
    await journal.markDone(effectId(stream, 1, 0));
    await forge(connection, 'done', marks.toText(), async () => expect((await journal.done(stream)).watermark).toBe(0));
    for (const opened of [snapshots, unsealed, journal]) opened.close();
    await events.close();
  });
});

describe('an entry for the sessions of others, on servers that let it be written,', () => {
  const [first, second, stranger, unknown] = ['a', 'b', 'c', 'd'].map((digit, at) => {
    const signer = signerFromSeed(new Uint8Array(32).fill(at + 10));
    return { address: toAddress(`0x${digit.repeat(40)}`), signer };
  }) as [SealedBy, SealedBy, SealedBy, SealedBy];
  const name = sessionsLease(3, [first.address, second.address]);
  const registered = new Map(
    [first, second, stranger].map(({ address, signer }) => [
      address,
      { roles: ['router'] as Role[], key: signer.publicKey },
    ]),
  );
  const unsound: object[] = [];
  const sealBy = ({ address, signer }: SealedBy): BucketSeal => ({
    author: address,
    signer,
    registry: { get: (author) => registered.get(author), learn: async () => {} },
    onUnsound: (entry) => void unsound.push(entry),
  });
  const held = (owner: Address, ttlMs: number = limits.leaseMsMax): string =>
    JSON.stringify({ owner, ttlMs, fence: 9e15 });

  /** The leases as a router sees them, and how to write under a key whatever one likes. */
  async function leasesOf(router: SealedBy) {
    const connection = await connectOpenly();
    const leases = await openNatsLeases({ connection, clock: systemClock, seal: sealBy(router) });
    const bucket = await Bucket.open('lease', { connection });
    const write = (value: string | Uint8Array, key = name): Promise<number> => bucket.put(key, value);
    return { leases, write };
  }
  const signedBy = (by: SealedBy, text: string, key = name): Uint8Array =>
    sealed(sealBy(by), `$KV.${names.bucket('lease')}.${key}`, text);

  test.each([
    ['a router that the group does not name', () => signedBy(stranger, held(stranger.address))],
    ['one that says another one’s name', () => signedBy(stranger, held(second.address))],
    ['one that is not registered', () => signedBy(unknown, held(unknown.address))],
    ['nobody', () => held(second.address)],
    ['a router of the group, for ever,', () => signedBy(second, held(second.address, 9e15))],
  ])('by %s is no lease, for nobody', async (_who, entry) => {
    for (const router of [first, second, stranger]) {
      const { leases, write } = await leasesOf(router);
      await write(entry());
      expect(await leases.holder(name)).toBeUndefined();
    }
    const { leases, write } = await leasesOf(first);
    const lease = await leases.acquire(name, first.address, 60_000);
    expect(lease).toMatchObject({ owner: first.address });
    expect(lease!.fence).toBeLessThan(9e15);
    // Its holder has it again at once, however often that is written over it.
    for (let times = 0; times < 3; times++) {
      await write(entry());
      expect(await leases.acquire(name, first.address, 60_000)).toMatchObject({ owner: first.address });
    }
    await leases.release((await leases.holder(name))!);
  });

  test('is told of with its bucket and key', async () => {
    const { leases, write } = await leasesOf(first);
    await write(signedBy(stranger, held(stranger.address)));
    unsound.length = 0;
    await leases.holder(name);
    expect(unsound).toEqual([{ bucket: 'lease', key: name }]);
  });

  test('by a router of the group is a lease, and so is the anchorer’s by any router', async () => {
    for (const [key, router] of [
      [name, second],
      [anchorLease, stranger],
    ] as const) {
      const { leases, write } = await leasesOf(first);
      await write(signedBy(router, held(router.address), key), key);
      expect(await leases.holder(key)).toMatchObject({ owner: router.address });
      expect(await leases.acquire(key, first.address, 60_000)).toBeUndefined();
    }
  });
});

/** Whose signature is on an entry. */
interface SealedBy {
  readonly address: Address;
  readonly signer: Signer;
}

/** The seal of a peer, in a network where everybody is registered. */
function sealOf(name: 'router' | 'miner'): BucketSeal {
  const signers = {
    router: signerFromSeed(new Uint8Array(32).fill(1)),
    miner: signerFromSeed(new Uint8Array(32).fill(2)),
  };
  const keys = new Map(
    (['router', 'miner'] as const).map((one) => [
      peers[one].address,
      { roles: [peers[one].role], key: signers[one].publicKey },
    ]),
  );
  const registry = { get: (author: Address) => keys.get(author), learn: async () => {} };
  return { author: peers[name].address, signer: signers[name], registry };
}

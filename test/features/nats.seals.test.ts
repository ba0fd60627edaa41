import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/adapters/local/system-clock.ts';
import { Bucket } from '../../src/adapters/nats/kv/bucket.ts';
import { DoneMarks } from '../../src/adapters/nats/kv/done-marks.ts';
import { openNatsEffectJournal } from '../../src/adapters/nats/kv/effect-journal.ts';
import { openNatsLeases } from '../../src/adapters/nats/kv/leases.ts';
import { type BucketSeal, sealed } from '../../src/adapters/nats/kv/seal.ts';
import { openNatsSnapshots } from '../../src/adapters/nats/kv/snapshots.ts';
import { openNatsEventStore } from '../../src/adapters/nats/store/event-store.ts';
import { signerFromSeed } from '../../src/core/ed25519.ts';
import { hashJson } from '../../src/core/hash.ts';
import { type Address, effectId, streamId } from '../../src/core/ids.ts';
import { names, natsNetwork, peers } from './nats-network.ts';

const network = natsNetwork();

describe('what is written to a bucket by who may not sign for it', () => {
  const stream = streamId('session', 'another');
  const [seal, forger] = [sealOf('router'), sealOf('miner')];

  /** Each text as it is, and as a miner signs it; written with the rights of a router, which the servers let write. */
  async function forge(name: 'lease' | 'snap' | 'done', text: string, check: () => Promise<void>): Promise<void> {
    const bucket = await Bucket.open(name, { connection: network.router.link.connection });
    for (const value of [text, sealed(forger, `$KV.${names.bucket(name)}.${stream}`, text)]) {
      await bucket.put(stream, value);
      await check();
    }
    bucket.close();
  }

  test('is no lease, and fences go on growing', async () => {
    const { connection } = network.router.link;
    const leases = await openNatsLeases({ connection, clock: systemClock, seal });
    let fence = 0;
    await forge('lease', JSON.stringify({ owner: 'forged', ttlMs: 1e12, fence: 9e15 }), async () => {
      expect(await leases.holder(stream)).toBeUndefined();
      const lease = await leases.acquire(stream, 'a router', 60_000);
      expect(lease).toMatchObject({ owner: 'a router' });
      expect(lease!.fence).toBeGreaterThan(fence);
      ({ fence } = lease!);
      expect(fence).toBeLessThan(9e15);
      expect(await leases.renew(lease!, 60_000)).toMatchObject({ fence });
      await leases.release(lease!);
    });
    leases.close();
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
    await forge('done', marks.toText(), async () => expect((await journal.done(stream)).watermark).toBe(0));
    for (const opened of [snapshots, unsealed, journal]) opened.close();
    await events.close();
  });
});

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

import { describe, expect, onTestFinished, test } from 'vitest';
import { emptyRouter, type RouterContext } from '../../../actors/router/context.ts';
import type { RouterCommand } from '../../../actors/router/decide.ts';
import { commitChain, testStream } from '../../../test/features/commits.ts';
import { createHeliaContentStore } from '../../adapters/ipfs/content-store.ts';
import { openLocalStores } from '../../adapters/local/local-stores.ts';
import { type AnchoredHead, anchorManifest } from '../../core/anchor.ts';
import { toAddress } from '../../core/ids.ts';
import { anchorLease } from '../../core/lease-names.ts';
import { limits } from '../../core/limits.ts';
import type { Leases } from '../../ports/leases.ts';
import { silentLog } from '../../ports/log.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import type { NodeBase } from '../node-base.ts';
import { Anchorer } from './anchorer.ts';

const everyMs = 5_000;
/** The longest that a router waits for the one with the lease. */
const patienceMs = 4 * limits.anchorOverdueTurns * everyMs + 2 * everyMs;

/** A router with a log of its own, and what it proposes. */
async function router(leases?: Pick<Leases, 'acquire'>) {
  const stores = openLocalStores({ path: ':memory:' });
  const content = await createHeliaContentStore();
  onTestFinished(async () => {
    await content.close();
    await stores.close();
  });
  await stores.events.append(commitChain(testStream(1), 1)[0]!);
  const clock = new VirtualClock({ startMs: 1_000 });
  const base = {
    identity: { address: toAddress(`0x${'a1'.repeat(20)}`) },
    ports: { store: stores.events, leases: leases ?? stores.leases, content, clock, log: silentLog },
  } as unknown as NodeBase;
  const proposed: RouterCommand[] = [];
  const book: { last: RouterContext['lastAnchor'] } = { last: null };
  const anchorer = new Anchorer({
    base,
    everyMs,
    book: async () => ({ ...emptyRouter, lastAnchor: book.last }),
    dispatch: async (command) => void proposed.push(command),
  });
  /** Asks for an anchor as often as a router does. */
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += everyMs) {
      await clock.advance(everyMs);
      await anchorer.anchor();
    }
  };
  /** Another router's anchor comes to the chain. */
  const comes = async (heads: readonly AnchoredHead[], isKept = true): Promise<void> => {
    const previous = book.last === null ? undefined : { cid: book.last.manifest, root: book.last.root };
    const { manifest, cid, root } = anchorManifest(previous, heads, null);
    if (isKept) await content.put(manifest);
    const by = toAddress(`0x${'b2'.repeat(20)}`);
    book.last = { epoch: (book.last?.epoch ?? 0) + 1, by, root, manifest: cid, commits: 1 };
  };
  return { anchorer, proposed, pass, comes, events: stores.events };
}

test('two wishes for an anchor at the same moment are one proposal', async () => {
  const { anchorer, proposed } = await router();
  expect(await Promise.all([anchorer.anchor(), anchorer.anchor()])).toEqual([true, true]);
  expect(proposed).toHaveLength(1);

  await anchorer.anchor();
  expect(proposed).toHaveLength(2);
});

describe('a router that another one keeps the lease from', () => {
  const held: Pick<Leases, 'acquire'> = {
    acquire: async (name) => {
      expect(name).toBe(anchorLease);
      return undefined;
    },
  };

  test('anchors without it once no anchor has come for too long', async () => {
    const { proposed, pass } = await router(held);
    await pass(2 * limits.anchorOverdueTurns * everyMs);
    expect(proposed).toEqual([]);
    await pass(patienceMs);
    expect(proposed[0]).toMatchObject({ type: 'AnchorDue', commits: 1 });
  });

  test('leaves it to the other one as long as its anchors come', async () => {
    const { proposed, pass, comes, events } = await router(held);
    const chain = commitChain(testStream(1), 30);
    for (const commit of chain.slice(1)) {
      await comes([[commit.stream, commit.version - 1, commit.prev]]);
      expect(await events.append(commit)).toMatchObject({ outcome: 'stored' });
      await pass(patienceMs / 10);
    }
    expect(proposed).toEqual([]);
  });

  test.each([
    ['cannot be read', false],
    ['says nothing of the sessions that go on', true],
  ])(
    'anchors where what comes %s',
    async (_what, isKept) => {
      const { proposed, pass, comes } = await router(held);
      for (let version = 1; version <= 10; version++) {
        await comes([[testStream(2), version, '0'.repeat(64)]], isKept);
        await pass(patienceMs / 10);
      }
      expect(proposed).not.toEqual([]);
    },
    60_000,
  );

  test('anchors nothing where nothing is new', async () => {
    const { proposed, pass, comes } = await router(held);
    const [commit] = commitChain(testStream(1), 1);
    await comes([[commit!.stream, 1, commit!.hash]]);
    await pass(3 * patienceMs);
    expect(proposed).toEqual([]);
  });
});

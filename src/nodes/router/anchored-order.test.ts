import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type AnchoredLog, anchoredLog } from '../../../test/fixtures/anchored-log.ts';
import { nodes, type SampleLog, sampleLog } from '../../../test/fixtures/signed-log.ts';
import { type LocalStores, openLocalStores } from '../../adapters/local/local-stores.ts';
import { anchorManifest, anchorRoot } from '../../core/anchor.ts';
import { anchoredOrder } from '../../core/anchored-order.ts';
import { digestToCid } from '../../core/cid.ts';
import { limits } from '../../core/limits.ts';
import { emptyRoot } from '../../core/merkle.ts';
import { storeSource } from '../../replay/source.ts';
import { verifyLog } from '../../replay/verify.ts';

// The real bound takes long to reach; what happens at it does not depend on its size.
const bounds = limits as { anchoredOrderCommitsMax: number };
const real = { ...bounds };

let sample: SampleLog;
let stores: LocalStores;
let log: AnchoredLog;
beforeEach(async () => {
  sample = await sampleLog();
  stores = openLocalStores({ path: ':memory:' });
  log = await anchoredLog(stores.events);
});
afterEach(async () => {
  Object.assign(bounds, real);
  await log.close();
  await stores.close();
  await sample.close();
});

/** Writes the sample's commits of some positions into the log. */
async function write(from: number, to: number): Promise<void> {
  for (const { commit } of sample.stored.slice(from - 1, to)) await stores.events.append(commit);
}

/** From where to where each anchor says the order. */
const ranges = (): (string | null)[] =>
  log.chain.anchors.map(({ manifest }) => (manifest?.order ? `${manifest.order.from}-${manifest.order.to}` : null));

const verified = () => verifyLog(storeSource('the test', stores.events, log.chain));

describe('an anchor binds the order of the log', () => {
  test('since the anchor before, also after a restart', async () => {
    const router = log.router(nodes.router);
    await write(1, 4);
    await router.anchor();
    await write(5, 9);
    await router.anchor();
    await write(10, 14);
    await log.router(nodes.router).anchor();
    expect(ranges()).toEqual(['1-4', '5-9', '10-14']);
    const hashes = sample.stored.slice(4, 9).map(({ commit }) => commit.hash);
    expect(log.chain.anchors[1]?.manifest?.order).toEqual(anchoredOrder(5, hashes));
    expect(await verified()).toMatchObject({ ok: true, ordered: 14, anchors: 3 });
  });

  test('of a bounded number of commits; the next ones bind the rest', async () => {
    bounds.anchoredOrderCommitsMax = 6;
    const router = log.router(nodes.router);
    await write(1, 13);
    await router.anchor();
    await write(14, 14);
    await router.anchor();
    expect(ranges()).toEqual(['1-6', '7-12']);
    expect(await verified()).toMatchObject({ ok: true, ordered: 12 });
  });

  test('on top of anchors that say nothing of it, from the beginning', async () => {
    await write(1, 8);
    const { stream, version, hash } = sample.stored[0]?.commit ?? {};
    if (stream === undefined || version === undefined || hash === undefined) throw new Error('the sample is empty');
    const old = { v: 1, prev: null, prevRoot: emptyRoot, heads: [[stream, version, hash]] } as const;
    await log.put(old, anchorRoot(old));
    expect(await verified()).toMatchObject({ ok: true, ordered: 0 });
    await log.router(nodes.router).anchor();
    expect(ranges()).toEqual([null, '1-8']);
    expect(await verified()).toMatchObject({ ok: true, ordered: 8 });
  });

  test('again from the beginning where an earlier manifest is gone', async () => {
    await write(1, 8);
    const hashes = sample.stored.slice(4, 8).map(({ commit }) => commit.hash);
    const gone = { cid: digestToCid(`0x${'12'.repeat(32)}`), root: emptyRoot };
    const { manifest, root } = anchorManifest(gone, [], anchoredOrder(5, hashes));
    await log.put(manifest, root);
    await write(9, 12);
    await log.router(nodes.router).anchor();
    expect(ranges()).toEqual(['5-8', '1-12']);
  });
});

describe('two routers that anchor on the same predecessor', () => {
  test('both bind what is new, and whoever follows goes on behind the one that it follows', async () => {
    await write(1, 4);
    const [a, b] = [log.router(nodes.router), log.router(nodes.otherRouter, () => 1)];
    await a.anchor();
    await write(5, 8);
    await a.anchor();
    await write(9, 10);
    await b.anchor();
    await write(11, 14);
    await a.anchor();
    expect(ranges()).toEqual(['1-4', '5-8', '5-10', '11-14']);
    expect(await verified()).toMatchObject({ ok: true, ordered: 14, anchors: 4 });
  });
});

import { afterEach, beforeEach, expect, test } from 'vitest';
import { commitChain, resealed, testStream } from '../../../test/features/commits.ts';
import { type LocalStores, openLocalStores } from '../../adapters/local/local-stores.ts';
import { anchorManifest } from '../../core/anchor.ts';
import type { Commit } from '../../core/commit.ts';
import { digestToCid } from '../../core/cid.ts';
import type { Hex } from '../../core/hash.ts';
import { streamId, toAddress } from '../../core/ids.ts';
import { requireWholeLog } from './whole-log.ts';

const stream = testStream(1);
const commits = commitChain(stream, 3);
const { hash } = commits[2] as Commit;
const { manifest, digest } = anchorManifest(undefined, [[stream, 3, hash]], null);
const held = async (wanted: Hex) => (wanted === digest ? manifest : undefined);
const anchored = { sessions: 1, manifestDigest: digest };
const fresh = { sessions: 0, manifestDigest: undefined };

let stores: LocalStores;
beforeEach(() => {
  stores = openLocalStores({ path: ':memory:' });
});
afterEach(() => stores.close());

async function write(count: number): Promise<void> {
  for (const commit of commits.slice(0, count)) await stores.events.append(commit);
}

test('a new log on new contracts is whole', async () => {
  await expect(requireWholeLog(stores.events, fresh, held)).resolves.toBeUndefined();
});

test('a log without a commit is refused where the contracts have a session or an anchor', async () => {
  const refused = { code: 'log_behind_chain' };
  await expect(requireWholeLog(stores.events, { ...fresh, sessions: 1 }, held)).rejects.toMatchObject(refused);
  await expect(requireWholeLog(stores.events, { ...anchored, sessions: 0 }, held)).rejects.toMatchObject(refused);
});

test('a log is whole that has just what was anchored', async () => {
  await write(3);
  await expect(requireWholeLog(stores.events, anchored, held)).resolves.toBeUndefined();
});

test('a log that ends before what was anchored is refused, and says where', async () => {
  await write(2);
  // Another stream has as many commits as are missing in this one.
  for (const commit of commitChain(testStream(2), 1)) await stores.events.append(commit);
  const details = { stream, last: 2, version: 3 };
  await expect(requireWholeLog(stores.events, anchored, held)).rejects.toMatchObject({
    code: 'log_behind_chain',
    details,
  });
});

test('a log whose newest manifest is not here is left to a verification where it has proposed it, else refused', async () => {
  await write(2);
  const gone = async () => undefined;
  await expect(requireWholeLog(stores.events, anchored, gone)).rejects.toMatchObject({ code: 'log_behind_chain' });
  const router = streamId('router', toAddress(`0x${'1'.repeat(40)}`));
  const [first] = commitChain(router, 1);
  const events = [{ type: 'AnchorProposed', manifest: digestToCid(digest) }];
  await stores.events.append(resealed(first as Commit, { events }));
  await expect(requireWholeLog(stores.events, anchored, gone)).resolves.toBeUndefined();
});

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { commitChain, testStream } from '../../../test/features/commits.ts';
import { scratchDirectory } from '../../../test/features/scratch-directory.ts';
import { type LocalStores, openLocalStores } from '../../adapters/local/local-stores.ts';
import { anchorManifest } from '../../core/anchor.ts';
import type { Commit } from '../../core/commit.ts';
import type { Hex } from '../../core/hash.ts';
import { requireMarks, requireWholeLog } from './whole-log.ts';

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

test('a log whose newest manifest is gone is refused: it was on the disk before it was anchored', async () => {
  await write(3);
  const gone = async () => undefined;
  await expect(requireWholeLog(stores.events, anchored, gone)).rejects.toMatchObject({
    code: 'content_lost',
    details: { manifestDigest: digest },
  });
});

describe('a mark of the log beside it', () => {
  test('holds where the log has that commit, at its end or before', async () => {
    await write(3);
    const marks = [{ position: 3, hash }, { position: 1, hash: commits[0]?.hash ?? '' }, undefined];
    await expect(requireMarks(stores.events, marks)).resolves.toBeUndefined();
    expect(stores.mark()).toEqual(marks[0]);
  });

  test('is refused where the log ends before it', async () => {
    await write(2);
    await expect(requireMarks(stores.events, [{ position: 3, hash }])).rejects.toMatchObject({
      code: 'log_behind_chain',
      details: { position: 3 },
    });
  });

  test('is refused where the log went another way', async () => {
    await write(2);
    await stores.events.append(commitChain(testStream(2), 1)[0] as Commit);
    await expect(requireMarks(stores.events, [{ position: 3, hash }])).rejects.toMatchObject({
      code: 'log_behind_chain',
    });
  });

  test('is of what is on the disk, also of what was there when the log was opened', async () => {
    const scratch = scratchDirectory();
    const path = scratch.file('log.sqlite');
    const first = openLocalStores({ path });
    expect(first.mark()).toBeUndefined();
    await first.events.append(commits[0] as Commit);
    const mark = first.mark();
    expect(mark).toEqual({ position: 1, hash: commits[0]?.hash });
    await first.close();
    const again = openLocalStores({ path });
    expect(again.mark()).toEqual(mark);
    await again.close();
    scratch.remove();
  });
});

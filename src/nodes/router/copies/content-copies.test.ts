import { afterEach, expect, test } from 'vitest';
import { bytes32 } from '../../../../test/actors/chain-facts.ts';
import { digestToCid } from '../../../core/cid.ts';
import { PouwError } from '../../../core/errors.ts';
import type { Cid } from '../../../core/ids.ts';
import { limits } from '../../../core/limits.ts';
import { silentLog } from '../../../ports/log.ts';
import type { NodeBase } from '../../node-base.ts';
import { ContentCopies, type CopyBounds } from './content-copies.ts';

let stop = new AbortController();
afterEach(() => {
  stop = new AbortController();
});

/** A router whose content comes when it is given. */
function router(bounds?: CopyBounds) {
  const asked: Cid[] = [];
  const waiting = new Map<Cid, { give: () => void; fail: (error: Error) => void }>();
  const get = (cid: Cid, { signal }: { signal?: AbortSignal }): Promise<null> => {
    asked.push(cid);
    return new Promise((resolve, reject) => {
      waiting.set(cid, { give: () => resolve(null), fail: reject });
      signal?.addEventListener('abort', () => reject(new PouwError('cancelled', 'The router stops.')));
    });
  };
  const base = { ports: { content: { get }, log: silentLog }, stopping: stop.signal } as unknown as NodeBase;
  return { copies: new ContentCopies(base, bounds), asked, of: (digest: number) => waiting.get(cidOf(digest))! };
}

const cidOf = (digest: number): Cid => digestToCid(bytes32(digest));

const settled = (): Promise<void> => new Promise(setImmediate);

test('content is copied once at a time, however often it is asked for', async () => {
  const { copies, asked, of } = router();
  const taken = [1, 1, 2, 1].map((digest) => copies.take(cidOf(digest)));
  expect(asked).toEqual([cidOf(1), cidOf(2)]);
  of(1).give();
  of(2).give();
  expect(await Promise.all(taken)).toEqual([true, true, true, true]);
  void copies.take(cidOf(1));
  expect(asked).toHaveLength(3);
});

test('what cannot be had is left, said to be missing, and may be tried again', async () => {
  const { copies, asked, of } = router();
  const taken = copies.take(cidOf(1));
  of(1).fail(new PouwError('content_not_found', 'Nobody has it.'));
  expect(await taken).toBe(false);
  void copies.take(cidOf(1));
  expect(asked).toEqual([cidOf(1), cidOf(1)]);
});

test('as many are copied at a time as the bound says, as many wait, and one more is not copied', async () => {
  const { copies, asked, of } = router({ copiesMax: 2, waitingMax: 2 });
  const taken = [1, 2, 3, 4, 5].map((digest) => copies.take(cidOf(digest)));
  expect(asked).toEqual([cidOf(1), cidOf(2)]);
  expect(await taken[4]).toBe(false);
  of(2).give();
  await settled();
  expect(asked).toEqual([1, 2, 3].map(cidOf));
  of(3).fail(new PouwError('content_not_found', 'Nobody has it.'));
  of(1).give();
  await settled();
  expect(asked).toEqual([1, 2, 3, 4].map(cidOf));
  void copies.take(cidOf(6));
  expect(asked).toEqual([1, 2, 3, 4, 6].map(cidOf));
  of(4).give();
  of(6).give();
  expect(await Promise.all(taken)).toEqual([true, true, false, true, false]);
  await copies.idle();
});

test('what comes elsewhere is not fetched again, and what does not come there is', async () => {
  const { copies: elsewhere, of: there } = router();
  const { copies, asked, of } = router({ elsewhere });
  for (const digest of [1, 2]) void elsewhere.take(cidOf(digest));
  const [first, second] = [1, 2].map((digest) => copies.take(cidOf(digest)));
  await settled();
  there(1).give();
  there(2).fail(new PouwError('content_not_found', 'Nobody has it.'));
  expect(await first).toBe(true);
  await settled();
  expect(asked).toEqual([cidOf(2)]);
  of(2).give();
  expect(await second).toBe(true);
});

test('each is tried for as long as the bound says', () => {
  const times: (number | undefined)[] = [];
  const get = (_: Cid, { timeoutMs }: { timeoutMs?: number }): Promise<null> => {
    times.push(timeoutMs);
    return new Promise(() => {});
  };
  const base = { ports: { content: { get }, log: silentLog }, stopping: stop.signal } as unknown as NodeBase;
  void new ContentCopies(base).take(cidOf(1));
  void new ContentCopies(base, { copyMs: 7 }).take(cidOf(1));
  expect(times).toEqual([limits.contentCopyMsMax, 7]);
});

test('a router that stops lets go of its copies, of those that wait too, and begins no more', async () => {
  const { copies, asked } = router({ copiesMax: 1, waitingMax: 2 });
  const taken = [1, 2, 3].map((digest) => copies.take(cidOf(digest)));
  stop.abort();
  expect(await Promise.all(taken)).toEqual([false, false, false]);
  expect(await copies.take(cidOf(4))).toBe(false);
  await copies.idle();
  expect(asked).toEqual([cidOf(1)]);
});

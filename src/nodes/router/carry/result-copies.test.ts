import { afterEach, expect, test } from 'vitest';
import type { TaskEvent } from '../../../../actors/task/events.ts';
import { bytes32, router as someRouter, task } from '../../../../test/actors/chain-facts.ts';
import { digestToCid } from '../../../core/cid.ts';
import { PouwError } from '../../../core/errors.ts';
import type { Cid } from '../../../core/ids.ts';
import { silentLog } from '../../../ports/log.ts';
import type { NodeBase } from '../../node-base.ts';
import { ResultCopies } from './result-copies.ts';

let stop = new AbortController();
afterEach(() => {
  stop = new AbortController();
});

/** A router whose content comes when it is given. */
function router(copiesMax?: number) {
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
  return { copies: new ResultCopies(base, copiesMax), asked, of: (digest: number) => waiting.get(cidOf(digest))! };
}

const cidOf = (digest: number): Cid => digestToCid(bytes32(digest));

test('a result is copied once at a time, however often its miner brings it', async () => {
  const { copies, asked, of } = router();
  for (const digest of [1, 1, 2, 1]) copies.take(cidOf(digest));
  expect(asked).toEqual([cidOf(1), cidOf(2)]);
  of(1).give();
  of(2).give();
  await copies.idle();
  copies.take(cidOf(1));
  expect(asked).toHaveLength(3);
});

test('what a session commits of reveals is copied, and nothing else', () => {
  const { copies, asked } = router();
  copies.apply([
    { type: 'TaskPrecommitted', task, miner: someRouter, hash: bytes32(2), seen: null },
    {
      type: 'TaskCommitted',
      task,
      miner: someRouter,
      resultRoot: bytes32(2),
      result: cidOf(1),
      streamed: 'match',
      seen: null,
    },
  ] satisfies TaskEvent[]);
  expect(asked).toEqual([cidOf(1)]);
});

test('a result that cannot be had is left to the validators, and may be tried again', async () => {
  const { copies, asked, of } = router();
  copies.take(cidOf(1));
  of(1).fail(new PouwError('content_not_found', 'Nobody has it.'));
  await copies.idle();
  copies.take(cidOf(1));
  expect(asked).toEqual([cidOf(1), cidOf(1)]);
});

test('as many are copied at a time as the bound says, and no more', async () => {
  const { copies, asked, of } = router(2);
  for (const digest of [1, 2, 3]) copies.take(cidOf(digest));
  expect(asked).toEqual([cidOf(1), cidOf(2)]);
  of(2).give();
  await new Promise(setImmediate);
  copies.take(cidOf(3));
  expect(asked).toEqual([cidOf(1), cidOf(2), cidOf(3)]);
});

test('a router that stops lets go of its copies, and begins no more', async () => {
  const { copies, asked } = router();
  copies.take(cidOf(1));
  stop.abort();
  await copies.idle();
  copies.take(cidOf(2));
  expect(asked).toEqual([cidOf(1)]);
});

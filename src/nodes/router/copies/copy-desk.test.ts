import { afterEach, expect, test } from 'vitest';
import { address, bytes32, prompt, session, task } from '../../../../test/actors/chain-facts.ts';
import { digestToCid } from '../../../core/cid.ts';
import { errorCode, PouwError } from '../../../core/errors.ts';
import type { Address, Cid } from '../../../core/ids.ts';
import { limits } from '../../../core/limits.ts';
import type { KeepBody } from '../../../messages/keep.ts';
import { silentLog } from '../../../ports/log.ts';
import { LogIndex } from '../../log-index.ts';
import { CopyDesk, type CopyDeskOptions } from './copy-desk.ts';

const [self, other, third, stranger] = [1, 2, 3, 4].map(address) as [Address, Address, Address, Address];
/** As many as have all places together, and one more. */
const many = Array.from({ length: 5 }, (_, index) => address(index + 5));
const cidOf = (digest: number): Cid => digestToCid(bytes32(digest));
const turn = (): Promise<void> => new Promise(setImmediate);

let stop = new AbortController();
afterEach(() => {
  stop.abort();
  stop = new AbortController();
});

/** A router of a session, whose content comes when it is given, and the others of which answer when they are told. */
function router({ isShared = false, alive = [other] }: { isShared?: boolean; alive?: readonly Address[] } = {}) {
  const index = new LogIndex();
  let version = 0;
  const log = (...events: object[]): void => {
    version += 1;
    index.apply({ position: version, commit: { v: 1, stream: `session.${session}`, version, events } as never });
  };
  log({ type: 'SessionOpened', terms: { routers: [self, other, third, ...many] } });
  const asked: Cid[] = [];
  const waiting = new Map<Cid, PromiseWithResolvers<null>>();
  const times = new Map<Cid, number>();
  const get = (cid: Cid, { timeoutMs }: { timeoutMs: number }): Promise<null> => {
    asked.push(cid);
    times.set(cid, timeoutMs);
    const answer = Promise.withResolvers<null>();
    waiting.set(cid, answer);
    return answer.promise;
  };
  const flushed: number[] = [];
  const content = { get, flush: async () => void flushed.push(asked.length) };
  const told = new Map<Address, PromiseWithResolvers<object> & { body: KeepBody }>();
  const sleeps: { ms: number; wake: () => void }[] = [];
  const sleep = (ms: number): Promise<void> => new Promise((wake) => void sleeps.push({ ms, wake }));
  let keep: (message: { from: Address; body: KeepBody }) => Promise<void> = () => Promise.reject(new Error('no desk'));
  const base = {
    identity: { address: self },
    stopping: stop.signal,
    ports: { content, log: silentLog, clock: { now: () => 0, sleep }, random: { bytes32: () => bytes32(9) } },
    onCommand: (_verb: string, _from: string, _schema: object, handle: typeof keep) => {
      keep = handle;
    },
    ask: (_role: string, node: Address, _verb: string, _id: string, body: KeepBody) => {
      const answer = { ...Promise.withResolvers<object>(), body };
      told.set(node, answer);
      return answer.promise;
    },
  };
  const presence = { isAlive: (node: Address) => alive.includes(node) };
  const desk = new CopyDesk({ base, index, presence, isShared } as unknown as CopyDeskOptions);
  const give = (cid: Cid): void => waiting.get(cid)?.resolve(null);
  const lose = (cid: Cid): void => waiting.get(cid)?.reject(new PouwError('content_not_found', 'Nobody has it.'));
  const keepFor = (from: Address, prompts: readonly Cid[]) => keep({ from, body: { session, prompts: [...prompts] } });
  return { desk, index, log, asked, times, give, lose, flushed, told, sleeps, keepFor };
}

const submitted = (by: Address, of = prompt, id: string = task): object => ({
  type: 'TaskSubmitted',
  task: id,
  by,
  prompt: of,
  seen: null,
});

test('what others put into the log of its sessions is copied, what it put there itself is not', () => {
  const { desk, log, asked } = router();
  desk.listen();
  log(submitted(self, cidOf(1), bytes32(1)));
  expect(asked).toEqual([]);
  log(submitted(other, cidOf(2), bytes32(2)), submitted(stranger, cidOf(3), bytes32(3)));
  expect(asked).toEqual([cidOf(2), cidOf(3)]);
  desk.stop();
  log(submitted(other, cidOf(4), bytes32(4)));
  expect(asked).toHaveLength(2);
});

test('a session that does not name the router is none of its business', () => {
  const { desk, index, asked } = router();
  desk.listen();
  const commit = { v: 1, stream: `session.${session}9`, version: 1 };
  const opened = { type: 'SessionOpened', terms: { routers: [other] } };
  index.apply({ position: 9, commit: { ...commit, events: [opened, submitted(other)] } as never });
  expect(asked).toEqual([]);
});

test('what was submitted while it was away is copied when it comes back, of what has not ended', () => {
  const { desk, log, asked } = router();
  log(submitted(other, cidOf(1), bytes32(1)), submitted(other, cidOf(2), bytes32(2)));
  log({ type: 'TaskSettled', task: bytes32(1) });
  desk.listen();
  expect(asked).toEqual([cidOf(2)]);
});

test('what a session commits of reveals is copied, and nothing else', () => {
  const { desk, asked } = router();
  desk.apply([
    { type: 'TaskPrecommitted', task, miner: other, hash: bytes32(2), seen: null },
    { type: 'TaskCommitted', task, miner: other, result: cidOf(1), seen: null },
  ] as never);
  expect(asked).toEqual([cidOf(1)]);
});

test('a prompt is elsewhere once one of the other routers that live says so', async () => {
  const { desk, told } = router({ alive: [other, third] });
  let isKept = false;
  const keeping = desk.keepElsewhere(session, [prompt]).then(() => (isKept = true));
  expect([...told.keys()]).toEqual([other, third]);
  expect(told.get(other)?.body).toEqual({ session, prompts: [prompt] });
  told.get(other)?.reject(new PouwError('no_responders', 'It has just died.'));
  await turn();
  expect(isKept).toBe(false);
  told.get(third)?.resolve({});
  await keeping;
});

test('nobody waits for a router that does not live, nor for ones that refuse, nor for ever', async () => {
  const alone = router({ alive: [] });
  await alone.desk.keepElsewhere(session, [prompt]);
  expect(alone.told.size).toBe(0);
  const refused = router();
  const refusing = refused.desk.keepElsewhere(session, [prompt]);
  refused.told.get(other)?.reject(new PouwError('router_busy', 'Too much.'));
  await refusing;
  const silent = router();
  const waiting = silent.desk.keepElsewhere(session, [prompt]);
  expect(silent.sleeps.map(({ ms }) => ms)).toEqual([limits.promptKeptMsMax]);
  silent.sleeps[0]?.wake();
  await waiting;
});

test('what another router wants kept is on the disk before it is told so', async () => {
  const { desk, asked, give, flushed, keepFor } = router();
  desk.listen();
  const keeping = keepFor(other, [cidOf(1), cidOf(2)]);
  expect(asked).toEqual([cidOf(1), cidOf(2)]);
  give(cidOf(1));
  await turn();
  expect(flushed).toEqual([]);
  give(cidOf(2));
  await keeping;
  expect(flushed).toEqual([2]);
});

test('what cannot be had is refused, and so is a router that the session does not name', async () => {
  const { desk, lose, keepFor, asked } = router();
  desk.listen();
  const keeping = keepFor(other, [cidOf(1)]);
  lose(cidOf(1));
  await expect(keeping).rejects.toMatchObject({ code: 'content_not_found' });
  await expect(keepFor(stranger, [cidOf(2)])).rejects.toMatchObject({ code: 'sender_not_allowed' });
  expect(asked).toEqual([cidOf(1)]);
});

/** A prompt for each number from one on. */
const promptsFrom = (from: number, count: number): Cid[] => Array.from({ length: count }, (_, at) => cidOf(from + at));
const busy = { code: 'router_busy', class: 'busy' };

test('as many requests of one router are under way as the bound says, and one more is refused; others have theirs', async () => {
  const { desk, give, keepFor } = router();
  desk.listen();
  const keeping = Array.from({ length: limits.forwardedWritesOfOneMax }, () => keepFor(other, [cidOf(1)]));
  await expect(keepFor(other, [cidOf(1)])).rejects.toMatchObject(busy);
  keeping.push(keepFor(third, [cidOf(1)]));
  give(cidOf(1));
  await Promise.all(keeping);
  const again = keepFor(other, [cidOf(1)]);
  give(cidOf(1));
  await again;
});

test('as many requests of all routers are under way as the bound says, and one more is refused', async () => {
  const { desk, give, keepFor } = router();
  desk.listen();
  const places = limits.forwardedWritesMax / limits.forwardedWritesOfOneMax;
  const keeping = many
    .slice(0, places)
    .flatMap((from) => Array.from({ length: limits.forwardedWritesOfOneMax }, () => keepFor(from, [cidOf(1)])));
  await expect(keepFor(many[places]!, [cidOf(1)])).rejects.toMatchObject(busy);
  give(cidOf(1));
  await Promise.all(keeping);
});

test('one router has as many prompts copied at a time as its share is, and one more is refused; others have theirs', async () => {
  const { desk, asked, times, lose, give, keepFor } = router();
  desk.listen();
  const share = promptsFrom(1, limits.keptCopiesOfOneMax);
  const keeping = keepFor(other, share);
  expect(asked).toEqual(share);
  expect(new Set(times.values())).toEqual(new Set([limits.keptCopyMsMax]));
  await expect(keepFor(other, [cidOf(1_000)])).rejects.toMatchObject(busy);
  // What is on its way takes no place.
  const same = keepFor(other, share);
  const others = keepFor(third, [cidOf(1_000)]);
  give(cidOf(1_000));
  await others;
  for (const cid of share) lose(cid);
  await expect(keeping).rejects.toMatchObject({ code: 'content_not_found' });
  await expect(same).rejects.toMatchObject({ code: 'content_not_found' });
  const again = keepFor(other, [cidOf(1)]);
  give(cidOf(1));
  await again;
});

test('all routers have as many prompts copied at a time as the bound says, and what the log names is copied all the same', async () => {
  const { desk, log, asked, times, keepFor, give, lose } = router();
  desk.listen();
  const senders = limits.keptCopiesMax / limits.keptCopiesOfOneMax;
  const shares = many
    .slice(0, senders)
    .map((_, at) => promptsFrom(1 + at * limits.keptCopiesOfOneMax, limits.keptCopiesOfOneMax));
  const keeping = shares.map((share, at) => keepFor(many[at]!, share).catch(errorCode));
  await expect(keepFor(many[senders]!, [cidOf(5_000)])).rejects.toMatchObject(busy);
  expect(asked).toHaveLength(limits.keptCopiesMax);
  log(...promptsFrom(6_000, limits.contentCopiesMax).map((cid, at) => submitted(stranger, cid, bytes32(7_000 + at))));
  expect(asked).toHaveLength(limits.keptCopiesMax + limits.contentCopiesMax);
  expect(times.get(cidOf(6_000))).toBe(limits.contentCopyMsMax);
  give(cidOf(6_000));
  for (const cid of shares.flat()) lose(cid);
  expect(new Set(await Promise.all(keeping))).toEqual(new Set(['content_not_found']));
});

test('what the log has asked for already is waited for, but not for as long as the log waits', async () => {
  const { desk, log, asked, give, keepFor, sleeps, flushed } = router();
  desk.listen();
  log(submitted(other, cidOf(1), bytes32(1)), submitted(other, cidOf(2), bytes32(2)));
  const [had, late] = [keepFor(other, [cidOf(1)]), keepFor(other, [cidOf(2)])];
  expect(asked).toEqual([cidOf(1), cidOf(2)]);
  expect(sleeps.map(({ ms }) => ms)).toEqual([limits.keptCopyMsMax, limits.keptCopyMsMax]);
  give(cidOf(1));
  await had;
  expect(flushed).toEqual([2]);
  sleeps[1]?.wake();
  await expect(late).rejects.toMatchObject({ code: 'content_not_found' });
});

test('what another router wanted first and did not get is still copied for the log', async () => {
  const { desk, log, asked, lose, give, keepFor, times } = router();
  desk.listen();
  const keeping = keepFor(other, [cidOf(1)]);
  log(submitted(third, cidOf(1), bytes32(1)));
  lose(cidOf(1));
  await expect(keeping).rejects.toMatchObject({ code: 'content_not_found' });
  await turn();
  expect(asked).toEqual([cidOf(1), cidOf(1)]);
  expect(times.get(cidOf(1))).toBe(limits.contentCopyMsMax);
  give(cidOf(1));
  await desk.idle();
});

test('where all nodes share their content nothing is copied, and nobody asked', async () => {
  const { desk, log, asked, told, keepFor } = router({ isShared: true });
  desk.listen();
  log(submitted(other));
  desk.copy(cidOf(1));
  await desk.keepElsewhere(session, [prompt]);
  await keepFor(other, [prompt]);
  expect([asked.length, told.size]).toEqual([0, 0]);
});

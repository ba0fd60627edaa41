import { afterEach, describe, expect, test } from 'vitest';
import type { Hex } from '../core/hash.ts';
import { limits } from '../core/limits.ts';
import type { StoredCommit } from '../ports/event-store.ts';
import { LogIndex } from './log-index.ts';

const task = (digit: string) => `0x${digit.repeat(64)}` as never;

function stored(version: number, ...events: object[]): StoredCommit {
  return storedIn(1, version, ...events);
}

function storedIn(number: number, version: number, ...events: object[]): StoredCommit {
  return { position: version, commit: { v: 1, stream: `session.31337-abcdefab-${number}`, version, events } as never };
}

const opened = { type: 'SessionOpened', terms: { routers: ['0xa'] } };
const seen = { block: 1 };

test('it knows whose keys and tasks are whose, and when a task ended', () => {
  const index = new LogIndex();
  const session = '31337-abcdefab-1' as never;
  index.apply(stored(1, { type: 'SessionOpened', terms: { routers: ['0xa', '0xb'] } }));
  index.apply(stored(2, { type: 'ApiKeyBound', keyHash: 'k' }));
  index.apply(stored(3, { type: 'TaskSubmitted', task: task('1') }, { type: 'TaskSubmitted', task: task('2') }));
  index.apply(stored(4, { type: 'TaskSettled', task: task('1') }));
  index.apply({
    position: 5,
    commit: { v: 1, stream: 'miner.x', version: 1, events: [{ type: 'TaskSubmitted', task: task('9') }] } as never,
  });
  expect(index.sessions()).toEqual([session]);
  expect(index.routersOf(session)).toEqual(['0xa', '0xb']);
  expect(index.routersOf('31337-abcdefab-2' as never)).toEqual([]);
  expect(index.sessionOfKey('k')).toBe(session);
  expect(index.task(task('1'))).toEqual({ session, startedVersion: 3, endedVersion: 4 });
  expect(index.task(task('2'))).toEqual({ session, startedVersion: 3 });
  expect(index.task(task('9'))).toBeUndefined();
  index.apply(stored(5, { type: 'ApiKeyRevoked', keyHash: 'k' }));
  expect(index.sessionOfKey('k')).toBeUndefined();
});

test('it goes on behind a session that was opened with nonsense, and knows nothing of it', () => {
  const index = new LogIndex();
  for (const terms of [undefined, null, {}, { routers: 'all' }])
    index.apply(stored(1, { type: 'SessionOpened', terms }));
  index.apply(storedIn(2, 1, opened));
  expect(index.routersOf('31337-abcdefab-1' as never)).toEqual([]);
  expect(index.routersOf('31337-abcdefab-2' as never)).toEqual(['0xa']);
});

test('it lists a session’s tasks, newest first, page by page', () => {
  const index = new LogIndex();
  const session = '31337-abcdefab-1' as never;
  index.apply(stored(1, opened));
  for (const [place, digit] of ['1', '2', '3', '4', '5'].entries())
    index.apply(stored(place + 1, { type: 'TaskSubmitted', task: task(digit) }));
  expect(index.tasksOf(session, undefined, 2)).toEqual([task('5'), task('4')]);
  expect(index.tasksOf(session, task('4'), 2)).toEqual([task('3'), task('2')]);
  expect(index.tasksOf(session, task('2'), 2)).toEqual([task('1')]);
  expect(index.tasksOf('31337-abcdefab-2' as never, undefined, 2)).toEqual([]);
});

test('it knows the steps of a plan, in their order, and whose plan it is', () => {
  const index = new LogIndex();
  const [plan, session] = [task('7') as Hex, '31337-abcdefab-1' as never];
  const step = (digit: string, name: string, place: number) => {
    return { type: 'TaskSubmitted', task: task(digit), plan: { id: plan, name, place } };
  };
  index.apply(stored(1, opened));
  index.apply(storedIn(2, 1, opened));
  expect(index.plan(plan)).toBeUndefined();
  index.apply(stored(2, step('1', 'a', 0), step('2', 'b', 1)));
  const steps = [
    { name: 'a', task: task('1') },
    { name: 'b', task: task('2') },
  ];
  expect(index.plan(plan)).toEqual({ session, steps });
  // Nonsense is none of it.
  for (const place of [-1, 0.5, 3, 1e9, 'x', null]) index.apply(stored(3, step('4', 'd', place as number)));
  index.apply(stored(3, { type: 'TaskSubmitted', task: task('5'), plan: null }));
  expect(index.plan(plan)).toEqual({ session, steps });
  // Another session cannot put a step of its own into it.
  index.apply(storedIn(2, 2, step('3', 'c', 0)));
  expect(index.plan(plan)).toEqual({ session, steps });
});

describe('a request id that was used twice', () => {
  const index = (...events: object[]) => {
    const made = new LogIndex();
    events.forEach((event, place) => made.apply(stored(place + 1, { task: task('1'), ...event })));
    return made.task(task('1'))?.endedVersion;
  };
  const wished = { type: 'TaskSubmitted', seen: null };
  const refused = { type: 'TaskRefunded', seen: null };
  const settled = { type: 'TaskSettled', seen };

  test('is that of the task which the chain had, where a later wish came to nothing', () => {
    expect(index(opened, wished, settled, wished, refused)).toBe(3);
  });

  test('is that of the later task, where only that one came onto the chain', () => {
    expect(index(opened, wished, refused)).toBe(3);
    expect(index(opened, wished, refused, { type: 'TaskSubmitted', seen })).toBeUndefined();
    expect(index(opened, wished, refused, { type: 'TaskSubmitted', seen }, { type: 'TaskRefunded', seen })).toBe(5);
  });
});

describe('at its bounds', () => {
  // The real bounds take long to reach; what happens at them does not depend on their size.
  const bounds = limits as { indexedTasksMax: number; closedSessionsKept: number };
  const real = { ...bounds };
  afterEach(() => void Object.assign(bounds, real));
  const id = (number: number) => `31337-abcdefab-${number}` as never;

  test('it forgets the oldest tasks, whichever session they are of', () => {
    bounds.indexedTasksMax = 3;
    const index = new LogIndex();
    index.apply(storedIn(1, 1, opened));
    index.apply(storedIn(2, 1, opened));
    for (const [place, digit] of ['1', '2', '3'].entries())
      index.apply(storedIn(1, place + 2, { type: 'TaskSubmitted', task: task(digit), seen }));
    expect(index.tasksOf(id(1), undefined, 9)).toEqual([task('3'), task('2'), task('1')]);
    for (const digit of ['4', '5']) index.apply(storedIn(2, 2, { type: 'TaskSubmitted', task: task(digit), seen }));
    expect([index.task(task('1')), index.task(task('2')), index.task(task('3'))]).toEqual([
      undefined,
      undefined,
      { session: id(1), startedVersion: 4 },
    ]);
    expect(index.tasksOf(id(1), undefined, 9)).toEqual([task('3')]);
    expect(index.tasksOf(id(2), undefined, 9)).toEqual([task('5'), task('4')]);
  });

  test('it forgets the session that was closed first, with its keys and tasks, and no open one', () => {
    bounds.closedSessionsKept = 1;
    const index = new LogIndex();
    for (const number of [1, 2, 3]) {
      index.apply(storedIn(number, 1, opened, { type: 'ApiKeyBound', keyHash: `k${number}` }));
      index.apply(storedIn(number, 2, { type: 'TaskSubmitted', task: task(String(number)), seen }));
    }
    index.apply(storedIn(2, 3, { type: 'SessionClosed' }));
    expect(index.sessions()).toEqual([id(1), id(2), id(3)]);
    index.apply(storedIn(3, 3, { type: 'SessionClosed' }));
    expect(index.sessions()).toEqual([id(1), id(3)]);
    expect([index.sessionOfKey('k2'), index.task(task('2')), index.tasksOf(id(2), undefined, 9)]).toEqual([
      undefined,
      undefined,
      [],
    ]);
    expect([index.sessionOfKey('k1'), index.sessionOfKey('k3')]).toEqual([id(1), id(3)]);
  });
});

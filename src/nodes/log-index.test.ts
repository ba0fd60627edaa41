import { expect, test } from 'vitest';
import type { StoredCommit } from '../ports/event-store.ts';
import { LogIndex } from './log-index.ts';

const task = (digit: string) => `0x${digit.repeat(64)}` as never;

function stored(version: number, ...events: object[]): StoredCommit {
  return { position: version, commit: { stream: 'session.31337-abcdefab-1', version, events } as never };
}

test('it knows whose keys and tasks are whose, and when a task ended', () => {
  const index = new LogIndex();
  const session = '31337-abcdefab-1' as never;
  index.apply(stored(1, { type: 'SessionOpened', terms: { routers: ['0xa', '0xb'] } }));
  index.apply(stored(2, { type: 'ApiKeyBound', keyHash: 'k' }));
  index.apply(stored(3, { type: 'TaskSubmitted', task: task('1') }, { type: 'TaskSubmitted', task: task('2') }));
  index.apply(stored(4, { type: 'TaskSettled', task: task('1') }));
  index.apply({
    position: 5,
    commit: { stream: 'miner.x', version: 1, events: [{ type: 'TaskSubmitted', task: task('9') }] } as never,
  });
  expect(index.sessions()).toEqual([session]);
  expect(index.routersOf(session)).toEqual(['0xa', '0xb']);
  expect(index.routersOf('31337-abcdefab-2' as never)).toEqual([]);
  expect(index.sessionOfKey('k')).toBe(session);
  expect(index.task(task('1'))).toEqual({ session, endedVersion: 4 });
  expect(index.task(task('2'))).toEqual({ session });
  expect(index.task(task('9'))).toBeUndefined();
  index.apply(stored(5, { type: 'ApiKeyRevoked', keyHash: 'k' }));
  expect(index.sessionOfKey('k')).toBeUndefined();
});

test('it lists a session’s tasks, newest first, page by page', () => {
  const index = new LogIndex();
  const session = '31337-abcdefab-1' as never;
  for (const [place, digit] of ['1', '2', '3', '4', '5'].entries())
    index.apply(stored(place + 1, { type: 'TaskSubmitted', task: task(digit) }));
  expect(index.tasksOf(session, undefined, 2)).toEqual([task('5'), task('4')]);
  expect(index.tasksOf(session, task('4'), 2)).toEqual([task('3'), task('2')]);
  expect(index.tasksOf(session, task('2'), 2)).toEqual([task('1')]);
  expect(index.tasksOf('31337-abcdefab-2' as never, undefined, 2)).toEqual([]);
});

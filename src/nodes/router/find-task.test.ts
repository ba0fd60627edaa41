import { beforeAll, describe, expect, it } from 'vitest';
import { sessionHistory } from '../../../scripts/bench/session-log.ts';
import { foldSession } from '../../../actors/session/machine.ts';
import { taskOf } from '../../../actors/session/tasks.ts';
import type { SessionEvent } from '../../../actors/session/events.ts';
import type { SessionContext } from '../../../actors/session/context.ts';
import { present } from '../../core/assert.ts';
import type { Folded } from '../../core/fold.ts';
import type { SessionId, StreamId, TaskId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import type { EventStore, StoredCommit } from '../../ports/event-store.ts';
import { LogIndex } from '../log-index.ts';
import { findTasks } from './find-task.ts';

const tasks = limits.sessionEndedTasksKept + 150;
const history = sessionHistory(1, tasks);
const opened = present(history[0]?.[0], 'the first event') as SessionEvent & { readonly session: SessionId };
const { session } = opened;
const stored = history.map((events, index): StoredCommit => ({
  position: index + 1,
  commit: { v: 1, stream: `session.${session}`, version: index + 1, events } as never,
}));

/** Versions that were read. */
let read: number[] = [];
const store = {
  async *read(_: StreamId, { fromVersion = 1, toVersion = Infinity } = {}) {
    for (const one of stored.slice(fromVersion - 1, toVersion)) {
      read.push(one.commit.version);
      yield one;
    }
  },
} as Partial<EventStore> as EventStore;

const index = new LogIndex();
let state: Folded<SessionContext> = foldSession.initial;
/** Every task as its session had it when it ended. */
const asEnded = new Map<TaskId, unknown>();
const ids = (after?: TaskId, limit = tasks): TaskId[] => index.tasksOf(session, after, limit);
const find = (wanted: readonly TaskId[]) =>
  findTasks({ index, store, session: () => Promise.resolve(state) }, session, wanted);

beforeAll(() => {
  for (const one of stored) {
    index.apply(one);
    for (const event of one.commit.events as unknown as SessionEvent[]) {
      ({ state } = foldSession.step(state, event));
      if (event.type === 'TaskSettled') asEnded.set(event.task, taskOf(state.context, event.task));
    }
  }
});

describe('finding tasks of a session', () => {
  it('gives those that the session has forgotten as it had them when they ended, in the order asked for', async () => {
    const found = await find(ids());
    expect(found.map(({ task }) => task.context.task)).toEqual(ids());
    expect(found.filter(({ isLive }) => isLive)).toHaveLength(limits.sessionEndedTasksKept);
    for (const { task } of found) expect(task).toEqual(asEnded.get(task.context.task));
  });

  it('reads for a page of forgotten ones what they wrote, once, and nothing for those that are kept', async () => {
    const newest = ids(undefined, limits.sessionEndedTasksKept);
    read = [];
    await find(newest);
    expect(read).toEqual([]);
    const page = ids(newest.at(-1), 100);
    await find(page);
    const each = (stored.length - 3) / tasks;
    expect(read).toHaveLength(100 * each);
    expect(new Set(read).size).toBe(read.length);
    read = [];
    await find([present(page[50], 'a task')]);
    expect(read).toHaveLength(each);
  });

  it('knows nothing of a task that the log does not have', async () => {
    expect(await find([`0x${'9'.repeat(64)}` as TaskId])).toEqual([]);
  });
});

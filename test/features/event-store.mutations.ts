import type { Commit } from '../../src/core/commit.ts';
import type { AppendResult, EventStore, StoredCommit } from '../../src/ports/event-store.ts';
import type { Mutation } from './feature.ts';

/** A store that behaves as another one but for what is overridden. */
function over(store: EventStore, overrides: Partial<EventStore>): EventStore {
  return {
    append: (commit) => store.append(commit),
    read: (stream, options) => store.read(stream, options),
    readAll: (options) => store.readAll(options),
    subscribe: (position, handler) => store.subscribe(position, handler),
    head: (stream) => store.head(stream),
    heads: () => store.heads(),
    close: () => store.close(),
    ...overrides,
  };
}

async function* map<T>(items: AsyncIterable<T>, change: (item: T, index: number) => T | undefined): AsyncIterable<T> {
  let index = 0;
  for await (const item of items) {
    const changed = change(item, index++);
    if (changed !== undefined) yield changed;
  }
}

async function* withoutLast<T>(items: AsyncIterable<T>): AsyncIterable<T> {
  let held: { item: T } | undefined;
  for await (const item of items) {
    if (held !== undefined) yield held.item;
    held = { item };
  }
}

async function* reversed<T>(items: AsyncIterable<T>): AsyncIterable<T> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  yield* all.toReversed();
}

function appending(change: (result: AppendResult, commit: Commit) => AppendResult) {
  return (store: EventStore): EventStore =>
    over(store, { append: async (commit) => change(await store.append(commit), commit) });
}

function subscribing(
  wrap: (handler: (stored: StoredCommit) => void | Promise<void>) => (stored: StoredCommit) => void | Promise<void>,
) {
  return (store: EventStore): EventStore =>
    over(store, { subscribe: (position, handler) => store.subscribe(position, wrap(handler)) });
}

const appendMutations: readonly Mutation<EventStore>[] = [
  {
    name: 'says that a rival was stored',
    caughtBy: [
      'refuses a commit whose version is taken by another one, and changes nothing',
      'lets exactly one of many rivals win each version',
    ],
    mutate: appending((result) => (result.outcome === 'conflict' ? { outcome: 'stored', position: 1 } : result)),
  },
  {
    name: 'takes rivals for duplicates',
    caughtBy: ['refuses a commit whose version is taken by another one, and changes nothing'],
    mutate: appending((result, { version }) =>
      result.outcome === 'conflict' ? { outcome: 'duplicate', position: version } : result,
    ),
  },
  {
    name: 'does not know its own commits',
    caughtBy: [
      'knows a commit it has stored, the newest and an older one, and stores it once',
      'knows a duplicate in the same breath',
    ],
    mutate: appending((result, { version }) =>
      result.outcome === 'duplicate' ? { outcome: 'conflict', version } : result,
    ),
  },
  {
    name: 'stores duplicates again, as far as it says',
    caughtBy: ['knows a commit it has stored, the newest and an older one, and stores it once'],
    mutate: appending((result) => (result.outcome === 'duplicate' ? { ...result, outcome: 'stored' } : result)),
  },
  {
    name: 'is off by one in the position it answers',
    caughtBy: ['says with an append where the commit is'],
    mutate: appending((result) =>
      result.outcome === 'stored' ? { ...result, position: result.position + 1 } : result,
    ),
  },
  {
    name: 'acknowledges a commit and drops every third',
    caughtBy: [
      'stores a pipelined chain whole and in order',
      'stores the commits of a stream and reads them back as they were',
    ],
    mutate: (store) =>
      over(store, {
        append: async (commit) =>
          commit.version % 3 === 0 ? { outcome: 'stored', position: commit.version } : store.append(commit),
      }),
  },
  {
    name: 'has no upper bound',
    caughtBy: ['takes a commit at its bounds and refuses one beyond them'],
    mutate: (store) =>
      over(store, {
        append: (commit) => store.append(commit).catch((): AppendResult => ({ outcome: 'stored', position: 1 })),
      }),
  },
];

const readMutations: readonly Mutation<EventStore>[] = [
  {
    name: 'loses the last commit when it is read',
    caughtBy: [
      'stores the commits of a stream and reads them back as they were',
      'still has everything when it is opened again',
    ],
    mutate: (store) => over(store, { read: (stream, options) => withoutLast(store.read(stream, options)) }),
  },
  {
    name: 'loses the last commit of the whole store',
    caughtBy: ['numbers commits from 1 without gaps, over all streams', 'reads more than fits into a page'],
    mutate: (store) => over(store, { readAll: (options) => withoutLast(store.readAll(options)) }),
  },
  {
    name: 'reads backwards',
    caughtBy: ['stores a pipelined chain whole and in order'],
    mutate: (store) => over(store, { read: (stream, options) => reversed(store.read(stream, options)) }),
  },
  {
    name: 'leaves the end of a range out',
    caughtBy: ['reads any part of a stream, both ends included'],
    mutate: (store) =>
      over(store, {
        read: (stream, { fromVersion = 1, toVersion } = {}) =>
          store.read(stream, toVersion === undefined ? { fromVersion } : { fromVersion, toVersion: toVersion - 1 }),
      }),
  },
  {
    name: 'ignores where to begin',
    caughtBy: ['reads any part of a stream, both ends included'],
    mutate: (store) =>
      over(store, {
        read: (stream, options) =>
          store.read(stream, options?.toVersion === undefined ? {} : { toVersion: options.toVersion }),
      }),
  },
  {
    name: 'numbers positions from 0',
    caughtBy: ['numbers commits from 1 without gaps, over all streams'],
    mutate: (store) =>
      over(store, {
        readAll: (options) => map(store.readAll(options), (stored) => ({ ...stored, position: stored.position - 1 })),
      }),
  },
  {
    name: 'normalises text',
    caughtBy: ['keeps every character, number and order of events'],
    mutate: (store) =>
      over(store, {
        read: (stream, options) =>
          map(store.read(stream, options), (stored) => ({
            ...stored,
            commit: JSON.parse(JSON.stringify(stored.commit).normalize('NFC')) as Commit,
          })),
      }),
  },
  {
    name: 'answers the head of the version before',
    caughtBy: ['knows the head of every stream'],
    mutate: (store) =>
      over(store, {
        head: async (stream) => {
          const head = await store.head(stream);
          return head && { ...head, version: head.version - 1 };
        },
      }),
  },
  {
    name: 'forgets a stream among the heads',
    caughtBy: ['knows the head of every stream'],
    mutate: (store) => over(store, { heads: () => withoutLast(store.heads()) }),
  },
  {
    name: 'gives the heads in another order',
    caughtBy: ['knows the heads of more streams than fit into a page, in order of stream id'],
    mutate: (store) => over(store, { heads: () => reversed(store.heads()) }),
  },
  {
    name: 'begins a late read at the commit after',
    caughtBy: ['finds the end of a long stream among others'],
    mutate: (store) =>
      over(store, {
        read: (stream, { fromVersion = 1, ...rest } = {}) =>
          store.read(stream, { ...rest, fromVersion: fromVersion < 256 ? fromVersion : fromVersion + 1 }),
      }),
  },
  {
    name: 'does not close',
    caughtBy: ['takes and gives nothing once it is closed'],
    mutate: (store) => over(store, { close: () => Promise.resolve() }),
  },
];

/** Holds each commit back until the next one has been handled. */
function swapPairs(handler: (stored: StoredCommit) => void | Promise<void>): (stored: StoredCommit) => Promise<void> {
  let held: StoredCommit | undefined;
  return async (stored) => {
    if (held === undefined) {
      held = stored;
      return;
    }
    const first = held;
    held = undefined;
    await handler(stored);
    await handler(first);
  };
}

const subscriptionMutations: readonly Mutation<EventStore>[] = [
  {
    name: 'reorders what a subscriber gets',
    caughtBy: [
      'hands a subscriber what is there and then what comes',
      'hands over from old to new under load, each commit once and in order, to every subscriber',
    ],
    mutate: subscribing(swapPairs),
  },
  {
    name: 'hands a commit over twice',
    caughtBy: ['hands over from old to new under load, each commit once and in order, to every subscriber'],
    mutate: subscribing((handler) => async (stored) => {
      await handler(stored);
      if (stored.position === 100) await handler(stored);
    }),
  },
  {
    name: 'loses a commit at the hand-over',
    caughtBy: ['hands over from old to new under load, each commit once and in order, to every subscriber'],
    mutate: (store) =>
      over(store, {
        subscribe: (position, handler) => {
          let count = 0;
          return store.subscribe(position, (stored) => (++count === 50 ? undefined : handler(stored)));
        },
      }),
  },
  {
    name: 'never goes live',
    caughtBy: ['hands a subscriber what is there and then what comes'],
    mutate: (store) => {
      let last = 0;
      return over(store, {
        append: async (commit) => {
          const result = await store.append(commit);
          if (result.outcome === 'stored') last = Math.max(last, result.position);
          return result;
        },
        subscribe: (from, handler) => {
          const known = last;
          return store.subscribe(from, (stored) => (stored.position > known ? undefined : handler(stored)));
        },
      });
    },
  },
  {
    name: 'hands commits over before the one before is handled',
    caughtBy: ['waits for a slow subscriber without holding up appends or other subscribers'],
    mutate: subscribing((handler) => (stored) => void handler(stored)),
  },
  {
    name: 'starts a subscriber one late',
    caughtBy: ['starts a subscriber at a position to come', 'hands a subscriber what is there and then what comes'],
    mutate: (store) => over(store, { subscribe: (position, handler) => store.subscribe(position + 1, handler) }),
  },
  {
    name: 'stops at the first error of a handler',
    caughtBy: ['goes on after a subscriber has thrown'],
    mutate: subscribing((handler) => {
      let failed = false;
      return async (stored) => {
        if (failed) return;
        failed = true;
        await handler(stored);
        failed = false;
      };
    }),
  },
  {
    name: 'does not wait for a running handler at close',
    caughtBy: ['calls no handler once its subscription is closed'],
    mutate: (store) =>
      over(store, {
        subscribe: (position, handler) => {
          const subscription = store.subscribe(position, handler);
          return { close: async () => void subscription.close() };
        },
      }),
  },
];

/** Every mutation the features are proven on. */
export const eventStoreMutations: readonly Mutation<EventStore>[] = [
  ...appendMutations,
  ...readMutations,
  ...subscriptionMutations,
];

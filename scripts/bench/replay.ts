import { join } from 'node:path';
import { foldSession, sessionMachine } from '../../actors/session/machine.ts';
import { openLocalStores } from '../../src/adapters/local/local-stores.ts';
import { assert, present } from '../../src/core/assert.ts';
import { type Fold, foldBySpec } from '../../src/core/fold.ts';
import { foldCommit } from '../../src/core/fold-commit.ts';
import type { EventStore } from '../../src/ports/event-store.ts';
import type { Figure, FigureOptions, FigureResult } from './figure.ts';
import { compared, interleave, perSecond } from './interleave.ts';
import { RawSqlite } from './raw-sqlite.ts';
import { benchStream, foldHistory, sealHistory, sessionHistory } from './session-log.ts';

/** How fast a log becomes state again. */
export const replay: Figure = {
  name: 'replay',
  title: 'events replayed per second: read, parse and fold session streams; and the fold alone',
  run: measure,
};

async function measure({ quick, scratch, onStep }: FigureOptions): Promise<FigureResult> {
  const rounds = quick ? 2 : 11;
  const sessions = quick ? 10 : 200;
  const tasksEach = 10;
  const stores = openLocalStores({ path: join(scratch, 'store.sqlite') });
  const raw = new RawSqlite(join(scratch, 'raw.sqlite'));
  try {
    onStep('writing the log');
    const events = await writeLogs(stores.events, raw, sessions, tasksEach);
    const history = sessionHistory(1, tasksEach).flat();
    const folded = (fold: Fold<unknown>): number => foldAll(fold, history, quick ? 2 : 40);
    const samples = await interleave(rounds, {
      ours: async (round) => {
        onStep(`round ${round}`);
        return perSecond(events, () => replayAll(stores.events, sessions));
      },
      raw: () => perSecond(events, () => void raw.readAll()),
      fast: async () => folded(foldSession),
      spec: async () => folded(foldBySpec(sessionMachine)),
    });
    return {
      rows: [
        compared(
          { what: 'replay: readAll and fold', unit: 'events/s', against: 'node:sqlite SELECT and JSON.parse, no fold' },
          samples.ours,
          samples.raw,
        ),
        compared(
          { what: 'fold alone', unit: 'events/s', against: "the same machine by xstate's transition()" },
          samples.fast,
          samples.spec,
        ),
      ],
      notes: [
        `${sessions} sessions of ${tasksEach} tasks, ${events} events. The last ratio is how much faster the compiled fold is.`,
      ],
    };
  } finally {
    await stores.close();
    raw.close();
  }
}

/** Writes the same commits to both. @returns how many events they hold. */
async function writeLogs(store: EventStore, raw: RawSqlite, sessions: number, tasksEach: number): Promise<number> {
  let events = 0;
  for (let number = 1; number <= sessions; number += 1) {
    const history = sessionHistory(number, tasksEach);
    foldHistory(history);
    const commits = sealHistory(benchStream(number), history);
    await Promise.all(commits.map((commit) => store.append(commit)));
    raw.append(commits.map((commit) => JSON.stringify(commit)));
    events += history.flat().length;
  }
  return events;
}

async function replayAll(store: EventStore, sessions: number): Promise<void> {
  const states = new Map<string, typeof foldSession.initial>();
  for await (const { commit } of store.readAll()) {
    const state = states.get(commit.stream) ?? foldSession.initial;
    states.set(commit.stream, foldCommit(foldSession, state, commit).state);
  }
  assert(states.size === sessions, 'every session was replayed');
}

function foldAll(fold: Fold<unknown>, history: readonly { readonly type: string }[], times: number): number {
  const startedAt = performance.now();
  for (let time = 0; time < times; time += 1) {
    let state = present(fold.initial, 'the initial state');
    for (const event of history) ({ state } = fold.step(state, event));
  }
  return (history.length * times * 1_000) / (performance.now() - startedAt);
}

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportedLines, openExport, type SampleLog, sampleLog, streams } from '../../test/fixtures/signed-log.ts';
import { commitFormat, type Event } from '../core/commit.ts';
import { hashJson } from '../core/hash.ts';
import { streamId } from '../core/ids.ts';
import type { StoredCommit } from '../ports/event-store.ts';
import { actorFold } from './actor-folds.ts';
import { foldAll, foldStream, type StreamFold } from './fold-stream.ts';
import type { LogSource } from './source.ts';

let sample: SampleLog;
let file: LogSource;
beforeAll(async () => {
  sample = await sampleLog();
  file = await openExport(await exportedLines(sample.source));
});
afterAll(() => sample.close());

interface Tally {
  readonly notes: number;
  readonly last: number;
}
const tally: StreamFold<Tally> = {
  initial: { notes: 0, last: -1 },
  step: (state, event: Event) =>
    event.type === 'Noted'
      ? { state: { ...state, notes: state.notes + 1 } }
      : { state: { ...state, last: event.count as number } },
};

const code = (expected: string): unknown => expect.objectContaining({ name: 'PouwError', code: expected });

describe('folding a stream', () => {
  it('gives the state at the newest version, its hash, and where it stands', async () => {
    const newest = sample.stored.findLast(({ commit }) => commit.stream === streams.session)?.commit;
    const state = { notes: 4, last: 7 };
    for (const source of [sample.source, file]) {
      expect(await foldStream(source, streams.session, tally)).toEqual({
        stream: streams.session,
        version: 4,
        commitHash: newest?.hash,
        at: newest?.at,
        state,
        stateHash: hashJson(state),
      });
    }
  });

  it('gives every earlier state too', async () => {
    for (const source of [sample.source, file]) {
      const notes = [1, 2, 3, 4].map(
        async (atVersion) => (await foldStream(source, streams.session, tally, { atVersion })).state.notes,
      );
      expect(await Promise.all(notes)).toEqual([1, 2, 3, 4]);
    }
  });

  it('refuses streams and versions that are not there', async () => {
    const missing = streamId('session', '31337-abcdef01-99');
    await expect(foldStream(file, missing, tally)).rejects.toEqual(code('stream_not_found'));
    for (const atVersion of [0, -1, 1.5, Number.NaN, 5]) {
      const folded = foldStream(file, streams.session, tally, { atVersion });
      await expect(folded, `${atVersion}`).rejects.toEqual(code('version_not_found'));
    }
    await expect(foldStream(file, streams.session, tally, { atVersion: 5 })).rejects.toMatchObject({
      hint: 'Its newest version is 4.',
    });
  });

  it('refuses a broken chain rather than fold half a history', async () => {
    const broken = {
      ...sample.source,
      async *read(): AsyncGenerator<StoredCommit> {
        const all = sample.stored.filter(({ commit }) => commit.stream === streams.session);
        yield* all.toSpliced(1, 1);
      },
    };
    await expect(foldStream(broken, streams.session, tally)).rejects.toEqual(code('log_broken_chain'));
  });
});

describe('a log that a newer pouw has written', () => {
  const changed = (change: (stored: StoredCommit) => StoredCommit): LogSource => {
    const all = sample.stored.map((stored) => (stored.commit.version === 2 ? change(stored) : stored));
    async function* read(): AsyncGenerator<StoredCommit> {
      yield* all.filter(({ commit }) => commit.stream === streams.session);
    }
    async function* readAll(): AsyncGenerator<StoredCommit> {
      yield* all;
    }
    return { ...sample.source, read, readAll };
  };

  it('is not folded where a commit has a newer format', async () => {
    const newer = changed((stored) => ({ ...stored, commit: { ...stored.commit, v: commitFormat + 1 } }));
    await expect(foldStream(newer, streams.session, tally)).rejects.toEqual(code('log_newer_version'));
    await expect(foldAll(newer, () => tally)).rejects.toEqual(code('log_newer_version'));
  });

  it('is not folded where an event is of a type that the fold does not know', async () => {
    const foreseen = changed(({ position, commit }) => ({
      position,
      commit: { ...commit, events: [...commit.events, { type: 'Foreseen' }] },
    }));
    const narrow = { ...tally, knows: (type: string) => type !== 'Foreseen' };
    await expect(foldStream(foreseen, streams.session, narrow)).rejects.toEqual(code('log_newer_version'));
    await expect(foldAll(foreseen, () => narrow)).rejects.toEqual(code('log_newer_version'));
    const session = foldStream(sample.source, streams.session, actorFold(streams.session));
    await expect(session).rejects.toEqual(code('log_newer_version'));
  });
});

describe('folding all streams', () => {
  it('gives in one pass what folding each gives', async () => {
    const all = await foldAll(file, () => tally);
    const each = Object.values(streams)
      .toSorted()
      .map((stream) => foldStream(sample.source, stream, tally));
    expect(all).toEqual(await Promise.all(each));
  });

  it('leaves out streams that have no fold', async () => {
    const all = await foldAll(file, (stream) => (stream === streams.miner ? tally : undefined));
    expect(all.map(({ stream }) => stream)).toEqual([streams.miner]);
  });
});

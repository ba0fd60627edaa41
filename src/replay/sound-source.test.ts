import { afterAll, beforeAll, expect, it } from 'vitest';
import { collect, type SampleLog, sampleLog, streams } from '../../test/fixtures/signed-log.ts';
import type { StoredCommit } from '../ports/event-store.ts';
import { soundSource } from './sound-source.ts';
import type { LogSource } from './source.ts';

let sample: SampleLog;
beforeAll(async () => {
  sample = await sampleLog();
});
afterAll(() => sample.close());

/** The sample log with one of its commits changed. */
function withChange(position: number, change: object): LogSource {
  const changed = sample.stored.map((stored): StoredCommit => {
    return stored.position === position ? { position, commit: { ...stored.commit, ...change } } : stored;
  });
  async function* read(): AsyncGenerator<StoredCommit> {
    yield* changed;
  }
  return soundSource({ ...sample.source, read, readAll: read });
}

it('reads a sound log as it is', async () => {
  const source = soundSource(sample.source);
  expect(await collect(source.readAll())).toEqual(sample.stored);
  const ofMiner = sample.stored.filter(({ commit }) => commit.stream === streams.miner);
  expect(await collect(source.read(streams.miner))).toEqual(ofMiner);
  expect(await collect(source.heads())).toEqual(await collect(sample.source.heads()));
  expect(await source.keys()).toBe(await sample.source.keys());
  expect(await source.anchors()).toBe(await sample.source.anchors());
});

it('stops at a commit whose content is not what was hashed, however it is read', async () => {
  const source = withChange(3, { events: [{ type: 'Noted', note: 'another story' }] });
  const error = { code: 'commit_damaged', class: 'corrupt', details: { position: 3 } };
  await expect(collect(source.readAll())).rejects.toMatchObject(error);
  await expect(collect(source.read(streams.session))).rejects.toMatchObject(error);
});

it('stops at what does not have the form of a commit', async () => {
  const error = { code: 'commit_damaged', why: 'It does not have the form of a commit.' };
  await expect(collect(withChange(2, { events: [] }).readAll())).rejects.toMatchObject(error);
  await expect(collect(withChange(2, { stream: 'no stream' }).readAll())).rejects.toMatchObject(error);
});

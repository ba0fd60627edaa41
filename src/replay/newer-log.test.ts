import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect, openExport, type SampleLog, sampleLog, streams } from '../../test/fixtures/signed-log.ts';
import { canonicalJson } from '../core/canonical-json.ts';
import { type Commit, commitFormat, commitHash } from '../core/commit.ts';
import type { StoredCommit } from '../ports/event-store.ts';
import { exportLog } from './export.ts';
import { soundSource } from './sound-source.ts';
import type { LogSource } from './source.ts';
import { verifyLog } from './verify.ts';

let sample: SampleLog;
beforeAll(async () => {
  sample = await sampleLog();
});
afterAll(() => sample.close());

/** A commit as a pouw of the next format would have written it, its hash right. */
function ofNextFormat(commit: Commit): Commit {
  const next = { ...commit, v: commitFormat + 1 };
  return { ...next, hash: commitHash(next) };
}

/** The sample with one commit of the next format, by a source that hands over whatever it has. */
function newerSource(): LogSource {
  async function* readAll(): AsyncGenerator<StoredCommit> {
    for (const { position, commit } of sample.stored) {
      const isNewer = commit.stream === streams.session && commit.version === 3;
      yield { position, commit: isNewer ? ofNextFormat(commit) : commit };
    }
  }
  return { ...sample.source, readAll };
}

const code = 'log_newer_version';

describe('a log with a commit of a newer format', () => {
  it('is told from a damaged one by a verification, which names the commit', async () => {
    const { ok, first, faultCount } = await verifyLog(newerSource());
    expect({ ok, faultCount }).toEqual({ ok: false, faultCount: 1 });
    expect(first).toMatchObject({ code, stream: streams.session, version: 3 });
    expect(sample.stored[(first?.position ?? 0) - 1]?.commit).toMatchObject({ stream: streams.session, version: 3 });
  });

  it('is told from a damaged one in an exported file too', async () => {
    const lines = (await collect(exportLog(sample.source, { exportedAt: 1 }))).map((line) => line.slice(0, -1));
    for await (const stored of newerSource().readAll()) lines[stored.position] = canonicalJson(stored);
    const { ok, first } = await verifyLog(await openExport(lines));
    expect(ok).toBe(false);
    expect(first).toMatchObject({ code, stream: streams.session, version: 3 });
  });

  it('is not read by who wants to trust what is in it', async () => {
    await expect(collect(soundSource(newerSource()).readAll())).rejects.toMatchObject({ code });
  });

  it('is not exported', async () => {
    await expect(collect(exportLog(soundSource(newerSource()), { exportedAt: 1 }))).rejects.toMatchObject({ code });
  });
});

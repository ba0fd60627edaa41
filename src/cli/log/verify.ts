import { checkSqliteLog, type DatabaseFault } from '../../adapters/local/sqlite-check.ts';
import type { StreamId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import type { StoredCommit } from '../../ports/event-store.ts';
import type { LogFault } from '../../replay/fault.ts';
import type { ChainAnchor, LogSource } from '../../replay/source.ts';
import { verifyLog, type VerifyReport } from '../../replay/verify.ts';
import { Progress } from '../progress.ts';

/** A report with how far the anchors reach. */
export interface CheckReport extends VerifyReport {
  /** The newest epoch, 0 for none. */
  readonly epoch: number;
  /** Commits that an anchor covers. The others could be cut off without a trace. */
  readonly anchored: number;
}

/** Commits between two looks at the progress bar. */
const progressEvery = 500;

/** What to verify. */
export interface CheckOptions {
  readonly source: LogSource;
  /** The database the source reads, undefined for a file. */
  readonly database: string | undefined;
  /** Later anchors are left out. */
  readonly epochMax: number | undefined;
}

/** Verifies a log with a progress bar: first what it says, then, for a database, what it is stored in. */
export async function checkLog({ source, database, epochMax }: CheckOptions): Promise<CheckReport> {
  const progress = new Progress('verifying');
  const anchors = (await source.anchors()).filter(({ epoch }) => epoch <= (epochMax ?? Infinity));
  const versions = new Map<StreamId, number>();
  const total = await expectedCommits(source);
  const watched: LogSource = {
    ...source,
    anchors: async () => anchors,
    readAll: () => watch(source.readAll(), versions, (done) => progress.update(done, total, `${done} commits`)),
  };
  try {
    const found = await verifyLog(watched);
    const report = database === undefined ? found : withFaults(found, await checkSqliteLog(database));
    return { ...report, epoch: anchors.at(-1)?.epoch ?? 0, anchored: anchoredCommits(anchors, versions) };
  } finally {
    progress.end();
  }
}

function withFaults(report: VerifyReport, more: readonly DatabaseFault[]): VerifyReport {
  const faults: LogFault[] = more.map(({ stream = null, version = null, position = null, message }) => {
    return { code: 'log_corrupt', stream, version, position, message };
  });
  const all = [...report.faults, ...faults];
  const faultCount = report.faultCount + faults.length;
  const first = report.first ?? faults.find(({ stream }) => stream !== null) ?? faults[0] ?? null;
  return { ...report, ok: faultCount === 0, first, faults: all.slice(0, limits.logFaultsMax), faultCount };
}

async function expectedCommits(source: LogSource): Promise<number> {
  if (source.claims !== null) return source.claims.commits;
  if (!process.stderr.isTTY) return 0;
  let commits = 0;
  try {
    for await (const { version } of source.heads()) commits += version;
  } catch {
    // A damaged log: how long the bar is does not matter, what is wrong is about to be said.
  }
  return commits;
}

async function* watch(
  commits: AsyncIterable<StoredCommit>,
  versions: Map<StreamId, number>,
  onProgress: (done: number) => void,
): AsyncGenerator<StoredCommit> {
  let done = 0;
  for await (const stored of commits) {
    const { stream, version } = stored.commit;
    versions.set(stream, version);
    done += 1;
    if (done % progressEvery === 0) onProgress(done);
    yield stored;
  }
}

function anchoredCommits(anchors: readonly ChainAnchor[], versions: ReadonlyMap<StreamId, number>): number {
  const covered = new Map<StreamId, number>();
  for (const { manifest } of anchors) {
    for (const [stream, version] of manifest?.heads ?? [])
      covered.set(stream, Math.max(version, covered.get(stream) ?? 0));
  }
  let commits = 0;
  for (const [stream, version] of covered) commits += Math.min(version, versions.get(stream) ?? 0);
  return commits;
}

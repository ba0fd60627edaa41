import { openNatsEventStore } from '../../src/adapters/nats/store/event-store.ts';
import { assert, present } from '../../src/core/assert.ts';
import type { Commit } from '../../src/core/commit.ts';
import type { StreamId } from '../../src/core/ids.ts';
import type { EventStore } from '../../src/ports/event-store.ts';
import type { Figure, FigureOptions, FigureResult, Row } from './figure.ts';
import { inProcess } from './in-process.ts';
import { median } from './interleave.ts';
import type { HostMeasure } from './nats-host-process.ts';
import { startBenchNats, withNats } from './nats-server.ts';
import { benchStream, sealHistory, sessionHistory } from './session-log.ts';

/** What many sessions in one event log on NATS cost. */
export const natsSessions: Figure = {
  name: 'nats-sessions',
  title: 'many session streams in one JetStream stream: memory of server and host, time to open one session',
  run: (options) => withNats(() => measure(options)),
};

const inFlight = 500;
/** Among the many sessions with two commits there are some with many: half of them spread over the whole log. */
const longSessions = 40;
const spreadSessions = longSessions / 2;

async function measure({ quick, scratch, onStep }: FigureOptions): Promise<FigureResult> {
  const count = quick ? 1_000 : 100_000;
  const nats = await startBenchNats(scratch);
  const emptyMiB = await nats.rssMiB();
  const store = await openNatsEventStore({ connection: nats.connection });
  try {
    const commits = await fill(store, count, quick ? 1 : 10, onStep);
    const fullMiB = await nats.rssMiB();
    onStep('opening sessions');
    const short = await openMs(
      store,
      (sample) => benchStream(longSessions + 1 + ((sample * 7_919) % (count - 100))),
      200,
    );
    const spread = await openMs(store, (sample) => benchStream(1 + (sample % spreadSessions)), 60);
    const inRow = await openMs(store, (sample) => benchStream(spreadSessions + 1 + (sample % spreadSessions)), 60);
    onStep('listing the heads');
    const startedAt = performance.now();
    let heads = 0;
    for await (const { version } of store.heads()) heads += Math.sign(version);
    const headsMs = performance.now() - startedAt;
    assert(heads === count, `every session has a head: ${heads} of ${count}`);
    onStep('a host that knows them all');
    const host = await hostMeasure(nats.connection.getServer());
    assert(host.sessions === count, `the host knows every session: ${host.sessions} of ${count}`);
    const row = (what: string, unit: string, ours: number, against: string): Row => ({
      what,
      unit,
      ours,
      raw: null,
      against,
      ratio: null,
    });
    const sessions = `${count.toLocaleString('en-US')} sessions`;
    return {
      rows: [
        ...(fullMiB === undefined || emptyMiB === undefined
          ? []
          : [row(`RSS of the server with ${sessions}`, 'MiB', fullMiB, `${Math.round(emptyMiB)} MiB when it starts`)]),
        row(
          `RSS of a host that knows ${sessions}`,
          'MiB',
          host.knownBytes / 2 ** 20,
          `${Math.round(host.openBytes / 2 ** 20)} MiB before it has read the log, which takes ${Math.round(host.readMs / 1_000)} s`,
        ),
        row(`open one of ${sessions}: 2 commits`, 'ms', short.ms, 'read() to its end, the median of 200'),
        row(`open one of ${sessions}: ${inRow.commits} commits`, 'ms', inRow.ms, 'written in a row, the median of 60'),
        row(
          `open one of ${sessions}: ${spread.commits} commits`,
          'ms',
          spread.ms,
          'spread over the whole log, the median of 60',
        ),
        row(`the heads of ${sessions}`, 'ms', headsMs, 'heads() to its end, once'),
      ],
      notes: [`${commits.toLocaleString('en-US')} commits; nats-server ${nats.version} on this machine, one replica.`],
    };
  } finally {
    await store.close();
    await nats.close();
  }
}

/** What a process of its own takes that reads the whole log. */
async function hostMeasure(server: string): Promise<HostMeasure> {
  return JSON.parse(await inProcess('nats-host-process.ts', server)) as HostMeasure;
}

/** Writes two commits for each session, and spreads the commits of the long ones among them. @returns how many in all. */
async function fill(
  store: EventStore,
  count: number,
  tasksEach: number,
  onStep: FigureOptions['onStep'],
): Promise<number> {
  const longs = Array.from({ length: longSessions }, (_, index) =>
    sealHistory(benchStream(index + 1), sessionHistory(index + 1, tasksEach)),
  );
  const versions = present(longs[0], 'a long session').length;
  const rounds = Math.ceil((count - longSessions) / inFlight);
  let commits = 0;
  for (let round = 0; round < rounds; round += 1) {
    onStep(`writing the log, ${round * inFlight} of ${count} sessions`);
    const first = longSessions + 1 + round * inFlight;
    const shorts = Array.from({ length: Math.min(inFlight, count + 1 - first) }, (_, index) =>
      sealHistory(benchStream(first + index), sessionHistory(first + index, 0).slice(0, 2)),
    );
    const from = Math.floor((round * versions) / rounds);
    const until = Math.floor(((round + 1) * versions) / rounds);
    const spread = longs.slice(0, spreadSessions).map((history) => history.slice(from, until));
    const inRow = longs
      .slice(spreadSessions)
      .filter((_, index) => Math.floor((index * rounds) / spreadSessions) === round);
    const due: readonly Commit[][] = [...shorts, ...spread, ...inRow];
    await Promise.all(due.map((history) => appendInOrder(store, history)));
    commits += due.flat().length;
  }
  return commits;
}

async function appendInOrder(store: EventStore, commits: readonly Commit[]): Promise<void> {
  for (const commit of commits) await store.append(commit);
}

async function openMs(
  store: EventStore,
  streamOf: (sample: number) => StreamId,
  samples: number,
): Promise<{ readonly ms: number; readonly commits: number }> {
  const times: number[] = [];
  let commits = 0;
  for (let sample = 0; sample < samples; sample += 1) {
    const startedAt = performance.now();
    commits = 0;
    for await (const { commit } of store.read(streamOf(sample))) commits += Math.sign(commit.version);
    times.push(performance.now() - startedAt);
  }
  assert(commits > 0, 'the session is there');
  return { ms: median(times), commits };
}

import { guardChildren } from '../../adapters/process/end-with-us.ts';
import { systemClock } from '../../adapters/local/system-clock.ts';
import { openNatsEventStore } from '../../adapters/nats/store/event-store.ts';
import { PouwError } from '../../core/errors.ts';
import type { Scheduling } from '../../core/scheduling.ts';
import type { Settlement } from '../../core/settlement.ts';
import type { EventStore } from '../../ports/event-store.ts';
import type { LogFault } from '../../replay/fault.ts';
import { seededPrompt } from '../../sim/prompts.ts';
import { quantile, type SimReport } from '../../sim/report.ts';
import type { NodeCounts } from '../compose/settings.ts';
import { connectPeer } from '../nats-peer.ts';
import { Progress } from '../progress.ts';
import { interruptedCode } from '../stop-at-once.ts';
import { untilStopped } from '../until-stopped.ts';
import { Chaos, type DoneFault, victimsOf } from './chaos.ts';
import { type Cluster, startCluster } from './cluster-network.ts';
import { runReport } from './cluster-report.ts';
import { endClusterBatches } from './cluster-batches.ts';
import { drive, type DrivenTask } from './drive.ts';
import {
  acknowledgedCommits,
  auditOf,
  duplicates,
  failovers,
  lostCommits,
  summariseLog,
  takeOvers,
  verifyCluster,
} from './examine.ts';
import { refusals } from './refusals.ts';

/** A run of a cluster, decided. */
export interface ClusterPlan {
  readonly folder: string;
  readonly seed: string;
  readonly counts: NodeCounts;
  readonly natsServers: 1 | 3;
  readonly tasks: number;
  readonly concurrency: number;
  readonly sessions: number;
  readonly model: string;
  /** Default `preassigned`. */
  readonly scheduling?: Scheduling;
  /** Default `perTask`. */
  readonly settlement?: Settlement;
  readonly maxTokens: number;
  /** The mean time between two faults, in milliseconds; nothing is broken where it is undefined. */
  readonly faultEveryMs: number | undefined;
}

/** What `pouw cluster --json` prints: a simulation's report, and what was broken. */
export interface ClusterReport extends SimReport {
  readonly chaos: {
    readonly kills: number;
    readonly pauses: number;
    /** From the fault to the next owner of each group of sessions. */
    readonly failoverMs: { readonly p50: number; readonly p99: number; readonly count: number };
    /** Acknowledged commits that are not in the log. */
    readonly lost: number;
    /** Effects applied more than once on chain, and tasks ended more than once. */
    readonly duplicated: number;
    /** Connections of clients that broke and were taken up again. */
    readonly reconnects: number;
    readonly faults: readonly DoneFault[];
  };
  /** The first fault of the log's verification; null for a sound log. */
  readonly verified: { readonly ok: boolean; readonly first: LogFault | null };
  /** How often a NATS server refused a node a subject: what its role may do and what it does differ. */
  readonly refused: number;
  /** The first of the lines that say so, in nodes' logs and servers'. */
  readonly refusals: readonly string[];
}

/** So many refusals are told with their lines. */
const toldRefusalsMax = 10;

/** A group that nobody has taken up for this long was not failed over: its own router came back first. */
const failoverWithinMs = 60_000;
/** How long unfinished tasks may take to end once nothing is broken any more. */
const endWithinMs = 180_000;

/** Starts a cluster, runs tasks through it while things break, and examines what is left. */
export async function runCluster(plan: ClusterPlan): Promise<ClusterReport> {
  guardChildren();
  const progress = new Progress('cluster');
  const stop = new AbortController();
  const stopped = untilStopped().then(({ again }) => {
    void again.then(() => process.exit(interruptedCode));
    stop.abort(clusterStopped());
    throw clusterStopped();
  });
  stopped.catch(() => undefined);
  const { tasks, counts, natsServers, model, sessions, seed, folder } = plan;
  const cluster = await startCluster({
    folder,
    seed,
    counts,
    natsServers,
    model,
    scheduling: plan.scheduling ?? 'preassigned',
    settlement: plan.settlement ?? 'perTask',
    sessions,
    onStep: (step) => progress.update(0, tasks, `starting: ${step}`),
  });
  let last = '';
  let ended = 0;
  const show = (): void => progress.update(ended, tasks, last);
  const chaos =
    plan.faultEveryMs === undefined
      ? undefined
      : new Chaos({
          victims: victimsOf(cluster),
          seed,
          everyMs: plan.faultEveryMs,
          clock: systemClock,
          onFault: ({ kind, name }) => {
            last = `${kind} ${name}`;
            show();
          },
        });
  const onEnded = (_: DrivenTask, count: number): void => {
    ended = count;
    show();
  };
  const work = async (): Promise<ClusterReport> => {
    const startedAt = systemClock.now();
    chaos?.start();
    const driven = await driveThrough(cluster, plan, onEnded, stop.signal);
    const wallMs = systemClock.now() - startedAt;
    await chaos?.stop();
    progress.update(tasks, tasks, 'examining');
    return examine(cluster, plan, driven, wallMs, chaos?.done ?? []);
  };
  try {
    return await Promise.race([work(), stopped]);
  } finally {
    progress.end();
    await chaos?.abandon();
    await cluster.stop();
  }
}

function clusterStopped(): PouwError {
  return new PouwError('cluster_stopped', 'The cluster was stopped before its tasks had ended.', {
    class: 'unavailable',
    hint: 'Its folder is kept.',
  });
}

function driveThrough(
  cluster: Cluster,
  { seed, tasks, model, maxTokens, concurrency }: ClusterPlan,
  onEnded: (task: DrivenTask, count: number) => void,
  signal: AbortSignal,
): Promise<DrivenTask[]> {
  return drive({
    urls: () => cluster.urls(),
    apiKeys: (cluster.client.ready['apiKey'] ?? '').split(' '),
    model,
    prompts: Array.from({ length: tasks }, (_, index) => seededPrompt(seed, index)),
    maxTokens,
    concurrency,
    clock: systemClock,
    label: seed,
    onEnded,
    signal,
  });
}

async function examine(
  cluster: Cluster,
  plan: ClusterPlan,
  driven: readonly DrivenTask[],
  wallMs: number,
  faults: readonly DoneFault[],
): Promise<ClusterReport> {
  const link = await connectPeer('pouw cluster', cluster.observer);
  const store = await openNatsEventStore({
    connection: link.connection,
    inboxPrefix: link.inboxPrefix,
    replicas: plan.natsServers,
  });
  try {
    await untilEnded(store);
    if (plan.settlement === 'batched') await endClusterBatches(cluster);
    // What is acknowledged while the log is read may be behind what was read: first the one, then the other.
    const acknowledged = await acknowledgedCommits(cluster.folder);
    const log = await summariseLog(store);
    const routers = cluster.nodes
      .filter(({ options: { role } }) => role === 'router')
      .map(({ options: { name, folder } }) => ({ name, folder }));
    const verified = await verifyCluster(
      store,
      cluster.anvil.url,
      cluster.deploymentFile,
      routers.map(({ folder }) => folder),
    );
    const audit = await auditOf(cluster.anvil.url, cluster.deploymentFile);
    const lost = lostCommits(acknowledged, log);
    const times = failovers(faults, takeOvers(routers), failoverWithinMs);
    const base = await runReport({
      cluster,
      seed: plan.seed,
      scheduling: plan.scheduling ?? 'preassigned',
      settlement: plan.settlement ?? 'perTask',
      driven,
      wallMs,
      log,
      store,
      spent: await audit.spent(),
    });
    const duplicated = duplicates(audit);
    const refused = refusals(cluster.folder);
    const isWhole = lost.length === 0 && duplicated.length === 0 && log.unbalanced.length === 0;
    return {
      ...base,
      ok: base.ok && verified.ok && isWhole && refused.length === 0,
      chaos: {
        kills: faults.filter(({ kind }) => kind === 'kill').length,
        pauses: faults.filter(({ kind }) => kind === 'pause').length,
        failoverMs: { p50: quantile(times, 0.5), p99: quantile(times, 0.99), count: times.length },
        lost: lost.length,
        duplicated: duplicated.length,
        reconnects: driven.reduce((sum, { reconnects }) => sum + reconnects, 0),
        faults,
      },
      verified: { ok: verified.ok, first: verified.first },
      refused: refused.length,
      refusals: refused.slice(0, toldRefusalsMax),
    };
  } finally {
    await store.close();
    await link.close();
  }
}

/** Waits until no task of the log is unfinished, or for as long as that may take. */
async function untilEnded(store: EventStore): Promise<void> {
  const giveUpAt = systemClock.now() + endWithinMs;
  for (;;) {
    const log = await summariseLog(store);
    const open = [...log.tasks.values()].filter(({ state }) => state !== 'settled' && state !== 'refunded');
    if (open.length === 0 || systemClock.now() > giveUpAt) return;
    await systemClock.sleep(1_000);
  }
}

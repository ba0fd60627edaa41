import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClusterReport, runCluster } from '../../src/cli/cluster/cluster-run.ts';
import { scratch } from '../kit/local-network.ts';

/** Milliseconds the whole run may take on a busy machine of two cores; one at rest takes a tenth of it. */
const runWithinMs = 2_700_000;
const tasks = 200;
const faultsAtLeast = 30;

const place = scratch('cluster-chaos');
let report: ClusterReport;

// Processes of every kind are killed and paused at random while tasks run: what is checked is what must hold whatever
// that meets. `npm run soak` does the same for longer.
beforeAll(async () => {
  report = await runCluster({
    folder: place.path,
    seed: 'chaos',
    counts: { routers: 2, miners: 4, validators: 2, oracles: 2 },
    natsServers: 3,
    tasks,
    concurrency: 16,
    sessions: 8,
    model: 'pebble-mini',
    maxTokens: 24,
    faultEveryMs: 2_500,
  });
}, runWithinMs);
afterAll(() => place.remove());

describe('a cluster whose processes die and stand still at random', () => {
  it('was broken often, in every way there is', () => {
    const { kills, pauses, faults, failoverMs } = report.chaos;
    expect(kills + pauses).toBe(faults.length);
    expect(faults.length).toBeGreaterThanOrEqual(faultsAtLeast);
    expect(kills).toBeGreaterThan(0);
    expect(pauses).toBeGreaterThan(0);
    expect(new Set(faults.map(({ target }) => target))).toEqual(
      new Set(['router', 'miner', 'validator', 'oracle', 'nats', 'rpc']),
    );
    expect(failoverMs.count).toBeGreaterThan(0);
  });

  it('settles or refunds every task', () => {
    const { submitted, settled, failed, refunded } = report.tasks;
    expect({ submitted, failed, ended: settled + refunded }).toEqual({ submitted: tasks, failed: 0, ended: tasks });
    // A task comes to nothing where all its miners were away at its deadline: the exception, though less so on a busy
    // machine, where whoever is killed takes long to come back.
    expect(settled).toBeGreaterThan(tasks * 0.6);
  });

  it('loses no $COR, no acknowledged commit, and applies no effect twice', () => {
    expect(report.money).toMatchObject({ conserved: true, escrowedWei: '0' });
    expect(report.chaos).toMatchObject({ lost: 0, duplicated: 0 });
  });

  it('leaves a log that verifies: hashes, signatures, authors, fences, anchors', () => {
    expect(report.verified).toEqual({ ok: true, first: null });
    expect({ refused: report.refused, refusals: report.refusals }).toEqual({ refused: 0, refusals: [] });
    expect(report.ok).toBe(true);
  });
});

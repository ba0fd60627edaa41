import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClusterReport, runCluster } from '../../src/cli/cluster/cluster-run.ts';
import { scratch } from '../kit/local-network.ts';

const place = scratch('cluster');
let report: ClusterReport;

// Every role is a process of its own over NATS. `cluster-chaos.test.ts` breaks them.
beforeAll(async () => {
  report = await runCluster({
    folder: place.path,
    seed: 'test',
    counts: { routers: 2, miners: 3, validators: 2, oracles: 1 },
    natsServers: 1,
    tasks: 9,
    concurrency: 3,
    sessions: 4,
    model: 'pebble-chat',
    maxTokens: 24,
    faultEveryMs: undefined,
  });
});
afterAll(() => place.remove());

describe('a network of processes', () => {
  it('settles every task, with the answers its clients have read', () => {
    expect(report.tasks).toEqual({ submitted: 9, settled: 9, failed: 0, refunded: 0 });
    for (const { text, honest } of report.results) {
      expect(text).not.toBe('');
      expect(honest).toHaveLength(3);
    }
  });

  it('keeps every $COR, every acknowledged commit and every effect', () => {
    expect(report.money).toMatchObject({ conserved: true, escrowedWei: '0' });
    expect(report.chaos).toMatchObject({ kills: 0, pauses: 0, lost: 0, duplicated: 0 });
  });

  it('has every node do its work with the key of its role, and ask NATS for nothing else', () => {
    expect(report.refused).toBe(0);
    const key = (name: string) => readFileSync(join(place.path, name, 'nats.nk'), 'utf8');
    const names = [
      'router-1',
      'router-2',
      'miner-1',
      'miner-2',
      'miner-3',
      'validator-1',
      'validator-2',
      'oracle-1',
      'client',
    ];
    expect(new Set(names.map(key)).size).toBe(names.length);
    const config = readFileSync(join(place.path, 'nats', 'server.conf'), 'utf8');
    // The nodes, and an operator and an observer.
    expect(config.match(/nkey: "U/g)).toHaveLength(names.length + 2);
  });

  it('has with its routers what miners have revealed, so that no miner takes its answer with it', () => {
    const held = globSync(join(place.path, 'router-*', 'blocks', '**', '*.data'))
      .map((file) => readFileSync(file, 'utf8'))
      .filter((content) => content.includes('"kind":"result"'))
      .map((content) => JSON.parse(content) as { readonly task: string; readonly miner: string });
    const winners = new Map<string | null, string | null>(report.results.map(({ task, winner }) => [task, winner]));
    const others = held.filter(({ task, miner }) => winners.get(task) !== miner);
    // The winner is fetched for the client in any case. A router that is busy may come too late for some of the others.
    expect(new Set(others.map(({ task, miner }) => `${task} ${miner}`)).size).toBeGreaterThan(9);
  });

  it('leaves a log that verifies: hashes, signatures, authors, fences, anchors', () => {
    expect(report.verified).toEqual({ ok: true, first: null });
    expect(report.log.commits).toBeGreaterThan(100);
    // Five a task where routers carry all parts, and 14 where they carry none.
    expect(report.chain.transactions).toBeGreaterThan(9 * 5);
    expect(report.chain.transactions).toBeLessThan(9 * 14);
    expect(report.chain.gasPerTask).toBeGreaterThan(500_000);
    expect(report.ok).toBe(true);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readDeploymentFile } from '../../src/adapters/chain/deployment-record.ts';
import { openRoundsChain } from '../../src/adapters/chain/rounds.ts';
import { openNatsEventStore } from '../../src/adapters/nats/store/event-store.ts';
import { type Cluster, startCluster } from '../../src/cli/cluster/cluster-network.ts';
import { refusals } from '../../src/cli/cluster/refusals.ts';
import { connectPeer } from '../../src/cli/nats-peer.ts';
import { networkActor } from '../../actors/network/definition.ts';
import type { Commit } from '../../src/core/commit.ts';
import type { RoundsChain } from '../../src/ports/rounds.ts';
import { scratch } from '../kit/local-network.ts';

const place = scratch('cluster-idle');
let cluster: Cluster;
let rounds: RoundsChain;

beforeAll(async () => {
  cluster = await startCluster({
    folder: place.path,
    seed: 'idle rounds',
    counts: { routers: 1, miners: 5, validators: 2, oracles: 1 },
    natsServers: 1,
    model: 'pebble-mini',
    idleRounds: 'on',
    sessions: 1,
    onStep: () => undefined,
  });
  const record = await readDeploymentFile(cluster.deploymentFile);
  rounds = await openRoundsChain({ rpcUrl: cluster.anvil.url, deployment: record!.deployment });
});
afterAll(async () => {
  await cluster?.stop();
  place.remove();
});

/** The commits of streams of one kind, in the order of the log. */
async function commitsOf(kind: string): Promise<Commit[]> {
  const link = await connectPeer('test', cluster.observer);
  const log = await openNatsEventStore({ connection: link.connection, inboxPrefix: link.inboxPrefix });
  const found: Commit[] = [];
  for await (const { commit } of log.readAll()) if (commit.stream.startsWith(`${kind}.`)) found.push(commit);
  await log.close();
  await link.close();
  return found;
}

describe('processes over NATS', () => {
  it('work on an idle round to its end, and go on where one is restarted in it', async () => {
    const state = async (): Promise<string> => (await rounds.state()).newest?.state ?? 'none';
    await expect.poll(state, { timeout: 90_000, interval: 100 }).toMatch(/creating|preparing|prepared|answering/);
    const { newest } = await rounds.state();
    const crew = [newest?.creator, newest?.preparer];
    const bystander = cluster.nodes.find(
      ({ options: { role }, ready }) => role === 'miner' && !crew.includes(ready['address'] as never),
    );
    await bystander!.kill();
    await bystander!.start();
    await expect.poll(state, { timeout: 120_000, interval: 300 }).toBe('ended');
    const { credits, pools } = await rounds.state();
    expect(credits).toBeGreaterThanOrEqual(1 + 1 + 4 * 2 + 2);
    expect(pools).toEqual({ miner: 5, validator: 2 });
  }, 240_000);

  it('keep their part in streams of their own, and are refused nothing', async () => {
    const commits = await commitsOf('network');
    const streams = new Set(commits.map(({ stream }) => stream));
    expect(streams.size).toBe(5 + 2 + 1);
    for (const stream of streams) {
      const events = commits.filter((commit) => commit.stream === stream).flatMap((commit) => commit.events);
      let folded = networkActor.fold.initial;
      for (const event of events) {
        const step = networkActor.fold.step(folded, event);
        expect(step.handled).toBe(true);
        folded = step.state;
      }
      expect(folded.context.round?.value).toBe('ended');
    }
    expect(refusals(place.path)).toEqual([]);
  });
});

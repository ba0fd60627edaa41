import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readDeploymentFile } from '../../src/adapters/chain/deployment-record.ts';
import { type ChainReads, createReads } from '../../src/adapters/chain/reads.ts';
import { connect } from '../../src/adapters/chain/connect.ts';
import { openRoundsChain } from '../../src/adapters/chain/rounds.ts';
import { openNatsEventStore } from '../../src/adapters/nats/store/event-store.ts';
import { type Cluster, startCluster } from '../../src/cli/cluster/cluster-network.ts';
import { refusals } from '../../src/cli/cluster/refusals.ts';
import { connectPeer } from '../../src/cli/nats-peer.ts';
import { networkActor } from '../../actors/network/definition.ts';
import type { Commit } from '../../src/core/commit.ts';
import type { ChainFact } from '../../src/ports/chain.ts';
import type { RoundsChain } from '../../src/ports/rounds.ts';
import { scratch } from '../kit/local-network.ts';

const place = scratch('cluster-idle');
let cluster: Cluster;
let rounds: RoundsChain;
let chain: ChainReads;

beforeAll(async () => {
  cluster = await startCluster({
    folder: place.path,
    seed: 'idle rounds',
    counts: { routers: 1, miners: 5, validators: 2, oracles: 1 },
    natsServers: 1,
    model: 'pebble-mini',
    idleRounds: 'on',
    // One round after the other, and phases that a process that was killed is back in.
    incentives: {
      roundTimes: {
        slotS: 20,
        drawS: 30,
        createS: 60,
        prepareS: 60,
        answerS: 60,
        revealS: 60,
        validateS: 60,
        graceS: 10,
      },
    },
    sessions: 1,
    onStep: () => undefined,
  });
  const record = await readDeploymentFile(cluster.deploymentFile);
  const at = { rpcUrl: cluster.anvil.url, deployment: record!.deployment };
  rounds = await openRoundsChain(at);
  const { client } = await connect({ url: at.rpcUrl, retryMs: 5_000 }, at.deployment.chainId);
  chain = createReads(client, at.deployment);
});
afterAll(async () => {
  await cluster?.stop();
  place.remove();
});

/** What the chain has told so far of rounds, and of nothing else. */
async function facts(): Promise<readonly ChainFact[]> {
  const { number } = await chain.block();
  return (await chain.facts(1, number)).filter((fact) => 'round' in fact);
}

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
  it('work on an idle round to its end, and go on with what they were drawn for where they are killed in it', async () => {
    const ended = async (): Promise<number> => (await facts()).filter(({ type }) => type === 'RoundEnded').length;
    await expect.poll(ended, { timeout: 120_000, interval: 500 }).toBeGreaterThan(0);
    let drawn: ChainFact | undefined;
    const known = (await facts()).length;
    const next = async (): Promise<unknown> =>
      (drawn = (await facts()).slice(known).find(({ type }) => type === 'RoundStarted'));
    await expect.poll(next, { timeout: 120_000, interval: 20 }).toBeDefined();
    const { round, miners } = drawn as Extract<ChainFact, { type: 'RoundStarted' }>;
    const node = cluster.nodes.find(({ ready }) => ready['address'] === miners[0]);
    await node!.kill();
    await node!.start();
    const isIts = (fact: ChainFact): boolean => 'round' in fact && fact.round === round;
    const over = async (): Promise<string[]> =>
      (await facts()).filter((fact) => isIts(fact) && fact.type === 'RoundEnded').map(({ type }) => type);
    await expect.poll(over, { timeout: 120_000, interval: 500 }).toEqual(['RoundEnded']);
    const its = (await facts()).filter(isIts);
    expect(its.filter(({ type }) => type === 'NodeMissed')).toEqual([]);
    const precommits = its.filter((fact) => fact.type === 'AnswerPrecommitted' && fact.miner === miners[0]);
    expect(precommits).toHaveLength(1);
    const credited = its.filter((fact) => fact.type === 'IdleWorkCredited' && fact.node === miners[0]);
    expect(credited).toMatchObject([{ credits: 4 }]);
    expect((await rounds.state()).pools).toEqual({ miner: 5, validator: 2 });
  }, 400_000);

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
      expect(folded.context.round?.context.round).toBeGreaterThan(0);
    }
    expect(refusals(place.path)).toEqual([]);
  });
});

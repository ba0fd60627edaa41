import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openChainStore } from '../../src/adapters/chain/chain-store.ts';
import { readDeploymentFile } from '../../src/adapters/chain/deployment-record.ts';
import { createViemChain } from '../../src/adapters/chain/viem-chain.ts';
import { systemClock } from '../../src/adapters/local/system-clock.ts';
import { type Cluster, startCluster } from '../../src/cli/cluster/cluster-network.ts';
import { drive } from '../../src/cli/cluster/drive.ts';
import { refusals } from '../../src/cli/cluster/refusals.ts';
import { present } from '../../src/core/assert.ts';
import type { Address } from '../../src/core/ids.ts';
import type { Chain, ChainFact } from '../../src/ports/chain.ts';
import { scratch } from '../kit/local-network.ts';
import { runPouw } from '../kit/pouw-process.ts';

const place = scratch('cluster-appeal');
const model = 'pebble-mini';
const within = { timeout: 120_000, interval: 500 };
let cluster: Cluster;
let chain: Chain;

// Two validators a task; five others are wanted on appeal, and three alike decide.
beforeAll(async () => {
  cluster = await startCluster({
    folder: place.path,
    seed: 'appeal',
    counts: { routers: 1, miners: 3, validators: 5, oracles: 1 },
    natsServers: 1,
    model,
    sessions: 1,
    appealWindow: 40,
    onStep: () => undefined,
  });
  const { deployment } = present(await readDeploymentFile(cluster.deploymentFile), 'the deployment');
  const store = openChainStore(':memory:');
  chain = await createViemChain({ rpcUrl: cluster.anvil.url, deployment, accounts: new Map(), store });
});
afterAll(async () => {
  await chain?.close();
  await cluster?.stop();
  place.remove();
});

async function facts(type: ChainFact['type']): Promise<readonly ChainFact[]> {
  const all = await chain.facts(chain.deployment.fromBlock, (await chain.block()).number);
  return all.filter((fact) => fact.type === type);
}

/** A command of the client's owner. */
async function wallet(...args: string[]): Promise<Record<string, unknown>> {
  const { folder } = cluster.client.options;
  const where = [
    '--rpc',
    cluster.anvil.url,
    '--deployment',
    cluster.deploymentFile,
    '--data',
    join(place.path, 'wallet'),
  ];
  const { code, stdout, stderr } = await runPouw([...args, '--key', join(folder, 'keys.json'), ...where, '--json']);
  if (code !== 0) throw new Error(`pouw ${args.join(' ')}: ${stderr}`);
  return JSON.parse(stdout) as Record<string, unknown>;
}

describe('an appeal in a network of processes', () => {
  it('is decided by validators that read the chain and each other’s content, and send no message for it', async () => {
    const driven = drive({
      urls: () => cluster.urls(),
      apiKeys: present(cluster.client.ready['apiKey'], 'the keys').split(' '),
      model,
      prompts: ['What is a dog?'],
      maxTokens: 16,
      concurrency: 1,
      clock: systemClock,
      label: 'appealed',
      onEnded: () => undefined,
      signal: new AbortController().signal,
    });
    await expect.poll(() => facts('ResultValidated'), within).toHaveLength(1);
    const [first] = await facts('ResultValidated');
    const task = (first as Extract<ChainFact, { type: 'ResultValidated' }>).task;
    expect(await wallet('task', 'appeal', task)).toMatchObject({ task, state: 'open', before: false });
    await expect.poll(() => facts('AppealDecided'), within).toMatchObject([{ task, overturned: false }]);
    const attested = (await facts('AppealAttested')).map((fact) => 'validator' in fact && fact.validator);
    expect(attested).toHaveLength(3);
    expect(new Set(attested).size).toBe(3);
    const record = await chain.appeal(task);
    const drawn = new Set<Address>(present(record, 'the appeal').validators.map(({ validator }) => validator));
    expect(attested.every((validator) => drawn.has(validator as Address))).toBe(true);
    expect(await driven).toMatchObject([{ task, outcome: 'answered' }]);
    await expect.poll(() => facts('TaskSettled'), within).toMatchObject([{ task }]);
    expect(await wallet('claim')).toMatchObject({ claimed: [] });
    expect(refusals(place.path)).toEqual([]);
  });
});

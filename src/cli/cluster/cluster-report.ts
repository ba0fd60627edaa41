import { join } from 'node:path';
import type { ChainSpending } from '../../adapters/chain/chain-audit.ts';
import { openChainStore } from '../../adapters/chain/chain-store.ts';
import { readDeploymentFile } from '../../adapters/chain/deployment-record.ts';
import { createViemChain } from '../../adapters/chain/viem-chain.ts';
import { present } from '../../core/assert.ts';
import type { Hex } from '../../core/hash.ts';
import type { Scheduling } from '../../core/scheduling.ts';
import type { Settlement } from '../../core/settlement.ts';
import { merkleRoot, recordLeaf } from '../../core/merkle.ts';
import type { Address } from '../../core/ids.ts';
import { addWei, subWei, type Wei } from '../../core/wei.ts';
import type { EventStore } from '../../ports/event-store.ts';
import { type SimReport, simReport } from '../../sim/report.ts';
import type { TaskRun } from '../../sim/run-tasks.ts';
import { stakeWei } from '../compose/settings.ts';
import type { Cluster } from './cluster-network.ts';
import type { DrivenTask } from './drive.ts';
import type { LogSummary } from './examine.ts';

/** What a run left behind. */
export interface RunRemains {
  readonly cluster: Cluster;
  readonly seed: string;
  readonly scheduling: Scheduling;
  readonly settlement: Settlement;
  readonly driven: readonly DrivenTask[];
  readonly wallMs: number;
  readonly log: LogSummary;
  readonly store: EventStore;
  readonly spent: ChainSpending;
}

/** What a simulation would report of the same tasks: from the clients' words, the log and the chain. */
export async function runReport({
  cluster,
  driven,
  wallMs,
  log,
  store,
  spent,
  ...plan
}: RunRemains): Promise<SimReport> {
  const { deployment } = present(await readDeploymentFile(cluster.deploymentFile), 'the deployment');
  const chainStore = openChainStore(join(cluster.folder, 'examiner.sqlite'));
  const chain = await createViemChain({
    rpcUrl: cluster.anvil.url,
    deployment,
    accounts: new Map(),
    store: chainStore,
  });
  const routers = cluster.nodes.flatMap(({ options: { role } }, index) =>
    role === 'router' ? (cluster.addresses[index] ?? []) : [],
  );
  const claimedBy = (miner: Address): Promise<Wei[]> =>
    Promise.all(routers.map((router) => chain.batchClaimed(router, miner)));
  try {
    const miners = await Promise.all(
      cluster.minerAddresses.map(async (address) => ({
        address,
        attack: null,
        earnedWei: addWei(await chain.earnings(address), ...(await claimedBy(address))),
        slashedWei: subWei(stakeWei.miner, (await chain.node(address))?.stakeWei ?? stakeWei.miner),
      })),
    );
    const leaves: Hex[] = [];
    for await (const { stream, version, hash } of store.heads()) leaves.push(recordLeaf('head', stream, version, hash));
    const { number } = await chain.block();
    const { commits, events, tasks } = log;
    const gasPerTask = tasks.size === 0 ? 0 : Math.round(spent.taskGas / tasks.size);
    return simReport({
      ...plan,
      runs: driven.map((task) => runOf(task, log)),
      wallMs,
      miners,
      money: await chain.money(),
      log: { dir: cluster.folder, commits, events, head: merkleRoot(leaves) },
      chain: { blocks: number - deployment.fromBlock, transactions: spent.transactions, gasPerTask },
    });
  } finally {
    await chain.close();
    chainStore.close();
  }
}

/** A task as a report knows it: the client's times and words, the log's verdict and money. */
function runOf({ prompt, task, text, ttftMs, latencyMs, outcome }: DrivenTask, log: LogSummary): TaskRun {
  const found = task === null ? undefined : log.tasks.get(task);
  const view = found === undefined ? null : { ...found, text: outcome === 'answered' ? text : null };
  const refusal = view === null ? { code: 'task_lost', message: 'The client never heard of its task again.' } : null;
  return { prompt, task, view, ttftMs, latencyMs, refusal };
}

import { join } from 'node:path';
import { addressOfKey } from '../../adapters/chain/accounts.ts';
import { advanceAnvil } from '../../adapters/chain/anvil-time.ts';
import { openChainStore } from '../../adapters/chain/chain-store.ts';
import { readDeploymentFile } from '../../adapters/chain/deployment-record.ts';
import { type Ledger, openLedger } from '../../adapters/chain/ledger.ts';
import { createViemChain } from '../../adapters/chain/viem-chain.ts';
import { openBlockReader } from '../../adapters/ipfs/block-reader.ts';
import { systemClock } from '../../adapters/local/system-clock.ts';
import { present } from '../../core/assert.ts';
import { type BatchOnChain, windowOverAt } from '../../core/batch/fact.ts';
import { cidToDigest } from '../../core/cid.ts';
import { PouwError } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import type { Address, EffectId } from '../../core/ids.ts';
import { claimsOf } from '../../nodes/batch-claims.ts';
import type { ContentStore } from '../../ports/content-store.ts';
import type { Cluster } from './cluster-network.ts';

/** How long the batches of a cluster may take to be posted, and then to be final. */
const withinMs = 120_000;
const lookMs = 500;

/**
 * Waits until all batches of a cluster are posted, moves its chain's time past their windows, waits until they are final, and
 * claims for everybody, as anyone may.
 *
 * @throws PouwError `batches_unfinished`.
 */
export async function endClusterBatches(cluster: Cluster): Promise<void> {
  const record = present(await readDeploymentFile(cluster.deploymentFile), 'the deployment');
  const ledger = await openLedger({ rpcUrl: cluster.anvil.url, deployment: record.deployment, chain: record.chain });
  const posted = await until(ledger, ({ state }) => state === 'posted' || isOver(state));
  const dueAt = Math.max(0, ...posted.map(({ header }) => windowOverAt(header)));
  const { at } = await ledger.block();
  if (dueAt >= at) await advanceAnvil(cluster.anvil.url, Math.ceil((dueAt - at) / 1_000) + 1);
  const ended = await until(ledger, ({ state }) => isOver(state));
  await claimForAll(cluster, ended, ledger);
}

function isOver(state: BatchOnChain['state']): boolean {
  return state === 'final' || state === 'void';
}

async function until(ledger: Ledger, isThere: (batch: BatchOnChain) => boolean): Promise<readonly BatchOnChain[]> {
  const giveUpAt = systemClock.now() + withinMs;
  for (;;) {
    const batches = await ledger.batches();
    if (batches.every(isThere)) return batches;
    if (systemClock.now() >= giveUpAt) {
      const open = batches.filter((batch) => !isThere(batch)).length;
      throw new PouwError(
        'batches_unfinished',
        `${open} batches have not come to their end in ${withinMs / 1_000} s.`,
        {
          class: 'timeout',
          hint: 'Look into the logs of the routers in the folder of the cluster.',
        },
      );
    }
    await systemClock.sleep(lookMs);
  }
}

async function claimForAll(cluster: Cluster, batches: readonly BatchOnChain[], ledger: Ledger): Promise<void> {
  const { folder, anvil, nodes, deployerKey } = cluster;
  const { deployment } = ledger;
  const from = addressOfKey(deployerKey);
  const contents = contentsOf(nodes.map(({ options }) => options.folder));
  const accounts = [...new Set(batches.map(({ header }) => header.rates.treasury)), ...cluster.addresses];
  const store = openChainStore(join(folder, 'claims.sqlite'));
  const chain = await createViemChain({
    rpcUrl: anvil.url,
    deployment,
    accounts: new Map<Address, Hex>([[from, deployerKey]]),
    store,
  });
  try {
    for (const { of, payments } of await claimsOf(batches, accounts, ledger, contents)) {
      const { batch, header } = of;
      await chain.send(
        from,
        { call: 'claimMany', batch, header, payments },
        `cluster.claim:${from}:${batch}` as EffectId,
      );
    }
  } finally {
    await chain.close();
    store.close();
  }
}

/** Content, wherever one of the nodes has it. */
function contentsOf(folders: readonly string[]): Pick<ContentStore, 'get'> {
  const readers = folders.map(openBlockReader);
  return {
    get: async (cid) => {
      for (const { get } of readers) {
        const found = await get(cidToDigest(cid));
        if (found !== undefined) return found;
      }
      throw new PouwError('content_not_found', `No node of the cluster has the content ${cid}.`, {
        class: 'not-found',
      });
    },
  };
}

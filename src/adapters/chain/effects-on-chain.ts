import { encodeEventTopics } from 'viem';
import { assert } from '../../core/assert.ts';
import type { Hex } from '../../core/hash.ts';
import type { Address } from '../../core/ids.ts';
import type { Deployment } from '../../ports/chain.ts';
import { corAbi } from './abi.ts';
import { readAllLogs } from './logs.ts';
import { chainError, type RpcClient } from './rpc-client.ts';

/** The contracts that log the effects of calls that are sent to them. */
export function effectContracts(deployment: Deployment): readonly Address[] {
  const { cor, registry, sessions, queue, appeals, anchors, reputation, rewards, network } = deployment;
  const { batches, batchChallenges, batchDemands, allowances, stakeToUse, reservations } = deployment;
  return [
    cor,
    registry,
    sessions,
    queue,
    appeals,
    anchors,
    batches,
    batchChallenges,
    batchDemands,
    reputation,
    rewards,
    network,
    allowances,
    stakeToUse,
    reservations,
  ];
}

/** Every effect of an account that the contracts have logged, with its transaction: for when the journal is lost. */
export async function effectsOnChain(
  client: RpcClient,
  deployment: Deployment,
  account: Address,
): Promise<ReadonlyMap<Hex, Hex>> {
  const topics = encodeEventTopics({ abi: corAbi, eventName: 'EffectApplied', args: { sender: account } });
  try {
    const filter = {
      addresses: effectContracts(deployment),
      topics: topics.filter((topic) => topic !== null),
    };
    const logs = await readAllLogs(client, deployment, filter);
    return new Map(logs.map((log) => [effectOf(log.topics), log.transactionHash ?? '0x']));
  } catch (error) {
    throw chainError(error, `the logs of ${account}`);
  }
}

function effectOf(topics: readonly Hex[]): Hex {
  const effect = topics[2];
  assert(effect !== undefined, 'EffectApplied has the effect as its second topic');
  return effect;
}

import type { Hex } from '../../core/hash.ts';
import type { Address } from '../../core/ids.ts';
import type { Deployment } from '../../ports/chain.ts';
import { networkAbi, reputationAbi, rewardsAbi } from './abi.ts';
import type { RpcClient } from './rpc-client.ts';

/** An epoch whose checkpoint counts and for which a node has credits that it has not claimed. */
export interface ClaimableReward {
  readonly epoch: number;
  /** The manifest in which the node's standing is. */
  readonly manifestDigest: Hex;
  /** What the epoch emits at most, in wei. */
  readonly emissionWei: bigint;
  /** The sum of idle work that shares it. */
  readonly idleWork: number;
  /** Until when it can be claimed, in milliseconds since 1970. */
  readonly claimBy: number;
}

/** How long a reward can be claimed (`IncentiveLimits.CLAIM_S`). */
export const claimS = 90 * 86_400;

/** Goes back over the checkpoints that count, as far as their rewards can still be claimed. */
export async function readRewards(
  client: RpcClient,
  { network, reputation, rewards }: Deployment,
  node: Address,
): Promise<readonly ClaimableReward[]> {
  const { timestamp } = await client.getBlock({ blockTag: 'latest' });
  const claimable: ClaimableReward[] = [];
  const ofReputation = { address: reputation, abi: reputationAbi } as const;
  const ofRewards = { address: rewards, abi: rewardsAbi } as const;
  let epoch = await client.readContract({ ...ofReputation, functionName: 'finalEpoch' });
  while (epoch > 0n) {
    const { checkpoint, dueAt } = await client.readContract({
      ...ofReputation,
      functionName: 'checkpointOf',
      args: [epoch],
    });
    if (dueAt + claimS < Number(timestamp)) break;
    const [credits, hasClaimed] = await Promise.all([
      client.readContract({ address: network, abi: networkAbi, functionName: 'creditsOf', args: [epoch, node] }),
      client.readContract({ ...ofRewards, functionName: 'hasClaimed', args: [epoch, node] }),
    ]);
    if (Number(credits) > 0 && !hasClaimed) {
      const emissionWei = await client.readContract({ ...ofRewards, functionName: 'emissionWei', args: [epoch] });
      const { manifestDigest, idleWork } = checkpoint;
      const claimBy = (dueAt + claimS) * 1_000;
      claimable.unshift({ epoch: Number(epoch), manifestDigest, emissionWei, idleWork: Number(idleWork), claimBy });
    }
    epoch = checkpoint.epoch - checkpoint.skipped - 1n;
  }
  return claimable;
}

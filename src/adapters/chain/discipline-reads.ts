import { decodeEventLog, encodeEventTopics } from 'viem';
import { type Address, toAddress } from '../../core/ids.ts';
import { type Wei, wei } from '../../core/wei.ts';
import type { Deployment } from '../../ports/chain.ts';
import { parametersAbi, registryAbi } from './abi.ts';
import { readAllLogs } from './logs.ts';
import { asked, type RpcClient } from './rpc-client.ts';

/** What a wallet asks about what was slashed. Each throws PouwError `chain_unreachable`, `chain_refused`. */
export interface DisciplineReads {
  /** What an account has earned by proving faults and not taken, and how often it has taken some. */
  faultRewards(account: Address): Promise<{ readonly owedWei: Wei; readonly withdrawals: number }>;
  /** Who the treasury is, what of all that was slashed it can be sent, and how often it was sent some. */
  slashedForTreasury(): Promise<{ readonly treasury: Address; readonly owedWei: Wei; readonly sweeps: number }>;
  /** How often a node has begun or ended to take new work: what names the next time, whoever asks. */
  activityChanges(node: Address): Promise<number>;
}

/** The reads of a deployment's registry. */
export function createDisciplineReads(client: RpcClient, deployment: Deployment): DisciplineReads {
  const { registry } = deployment;
  const count = async (topics: readonly (`0x${string}` | readonly `0x${string}`[] | null)[]): Promise<number> =>
    (await readAllLogs(client, deployment, { addresses: [registry], topics })).length;
  return {
    faultRewards: (account) =>
      asked('rewards for faults', async () => {
        const of = { address: registry, abi: registryAbi } as const;
        const owed = await client.readContract({ ...of, functionName: 'rewardOf', args: [account] });
        const taken = encodeEventTopics({ abi: registryAbi, eventName: 'RewardWithdrawn', args: { account } });
        return { owedWei: wei(owed), withdrawals: await count(taken) };
      }),
    slashedForTreasury: () => asked('what was slashed', () => readSlashed(client, deployment)),
    activityChanges: (node) =>
      asked('what a node has done', () =>
        count(encodeEventTopics({ abi: registryAbi, eventName: 'NodeActiveSet', args: { node } })),
      ),
  };
}

/** The registry says the sum of both parts only: what was slashed, less what challengers got of it and what was sent. */
async function readSlashed(client: RpcClient, deployment: Deployment) {
  const { parameters, registry } = deployment;
  const [abi, of] = [registryAbi, { address: registry, abi: registryAbi }] as const;
  const [treasury, { slashedWei }] = await Promise.all([
    client.readContract({ address: parameters, abi: parametersAbi, functionName: 'treasury' }),
    client.readContract({ ...of, functionName: 'totals' }),
  ]);
  const [rewarded] = encodeEventTopics({ abi, eventName: 'SlashRewarded' });
  const [swept] = encodeEventTopics({ abi, eventName: 'SlashedSwept' });
  const logs = await readAllLogs(client, deployment, { addresses: [registry], topics: [[rewarded, swept]] });
  let owedWei = slashedWei;
  let sweeps = 0;
  for (const { topics, data } of logs) {
    const decoded = decodeEventLog({ abi, topics, data });
    if (decoded.eventName === 'SlashedSwept') sweeps += 1;
    if (decoded.eventName === 'SlashedSwept' || decoded.eventName === 'SlashRewarded')
      owedWei -= decoded.args.amountWei;
  }
  // What came between the two questions.
  return { treasury: toAddress(treasury), owedWei: wei(owedWei > 0n ? owedWei : 0n), sweeps };
}

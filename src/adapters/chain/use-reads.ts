import { sessionNumber, toAddress } from '../../core/ids.ts';
import { wei } from '../../core/wei.ts';
import type { UseReads } from '../../ports/chain-use.ts';
import type { Deployment } from '../../ports/chain.ts';
import { stakeToUseAbi } from './abi.ts';
import { asked, type RpcClient } from './rpc-client.ts';

/** What the chain is asked about stakes for use. Each throws PouwError `chain_unreachable`, `chain_refused`. */
export function createUseReads(client: RpcClient, { stakeToUse: address }: Deployment): UseReads {
  const at = { address, abi: stakeToUseAbi } as const;
  return {
    useStake: (account) =>
      asked('a stake for use', async () => {
        const [user, usableWei] = await client.readContract({ ...at, functionName: 'stakeOf', args: [account] });
        const unlocksAt = user.unlocksAt === 0 ? undefined : user.unlocksAt * 1_000;
        return { amountWei: wei(user.amountWei), usableWei: wei(usableWei), unlocksAt };
      }),
    usePool: () =>
      asked('the pool', async () => {
        const [poolWei, stakedWei] = await Promise.all([
          client.readContract({ ...at, functionName: 'poolWei' }),
          client.readContract({ ...at, functionName: 'stakedWei' }),
        ]);
        return { poolWei: wei(poolWei), stakedWei: wei(stakedWei) };
      }),
    poolUser: (session) =>
      asked('the user of a session', async () => {
        const args = [sessionNumber(session)] as const;
        const user = await client.readContract({ ...at, functionName: 'userOf', args });
        return /^0x0+$/.test(user) ? undefined : toAddress(user);
      }),
  };
}

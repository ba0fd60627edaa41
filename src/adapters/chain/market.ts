import { keccak256 } from '../../core/hash.ts';
import type { ShareBps } from '../../core/price-split.ts';
import type { Deployment } from '../../ports/chain.ts';
import { parametersAbi, pricingAbi } from './abi.ts';
import type { RpcClient } from './rpc-client.ts';

/** How the price of a task of a model would be made and split if it were submitted and settled now. */
export interface Market {
  readonly shareBps: ShareBps;
  /** What base prices are multiplied by, in millionths. */
  readonly demandPpm: number;
}

/** Reads it, of one block. */
export async function readMarket(
  client: RpcClient,
  { parameters, pricing }: Deployment,
  model: string,
): Promise<Market> {
  const blockNumber = await client.getBlockNumber({ cacheTime: 0 });
  const [shares, demandPpm] = await Promise.all([
    client.readContract({ address: parameters, abi: parametersAbi, functionName: 'shares', blockNumber }),
    client.readContract({
      address: pricing,
      abi: pricingAbi,
      functionName: 'demandOf',
      args: [keccak256(model)],
      blockNumber,
    }),
  ]);
  const { minersBps: miner, validatorsBps: validator, routerBps: router, oracleBps: oracle } = shares;
  return { shareBps: { miner, validator, router, oracle }, demandPpm };
}

import { keccak256 } from '../../core/hash.ts';
import type { Address } from '../../core/ids.ts';
import type { ShareBps } from '../../core/price-split.ts';
import type { Capacity } from '../../ports/chain-market.ts';
import type { Deployment } from '../../ports/chain.ts';
import { parametersAbi, pricingAbi, registryAbi } from './abi.ts';
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

/** Questions that are asked at a time. */
const askedAtOnce = 16;

/** Reads who counts for a model and who should, of these miners. */
export async function readCapacity(
  client: RpcClient,
  { pricing, registry }: Deployment,
  model: string,
  miners: readonly { readonly node: Address; readonly active: boolean }[],
): Promise<Capacity> {
  const modelHash = keccak256(model);
  const market = { address: pricing, abi: pricingAbi } as const;
  const number = await client.readContract({ ...market, functionName: 'modelNumberOf', args: [modelHash] });
  const capacity = {
    isKnown: number !== 0,
    counted: [] as Address[],
    missing: [] as Address[],
    stale: [] as Address[],
  };
  if (!capacity.isKnown) return capacity;
  for (let from = 0; from < miners.length; from += askedAtOnce) {
    const asked = miners.slice(from, from + askedAtOnce).map(async ({ node, active }) => {
      const [counts, serves] = await Promise.all([
        client.readContract({ ...market, functionName: 'isCounted', args: [modelHash, node] }),
        client.readContract({ address: registry, abi: registryAbi, functionName: 'serves', args: [node, modelHash] }),
      ]);
      return { node, counts, should: active && serves };
    });
    for (const { node, counts, should } of await Promise.all(asked)) {
      if (counts) capacity.counted.push(node);
      if (should && !counts) capacity.missing.push(node);
      if (counts && !should) capacity.stale.push(node);
    }
  }
  return capacity;
}

import { nodeAnswer, type RpcClient } from './rpc-client.ts';

/** What a transaction offers per unit of gas, in wei of the chain's own coin. */
export interface GasFees {
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
}

/** Knows what to offer, without asking the node for every transaction. */
export interface Fees {
  current(): Promise<GasFees>;
  /** Forgets what it knows, after a node found an offer too low. */
  refresh(): void;
}

/** How long an answer is used; shorter than the block time of any public chain. */
const freshMs = 2_000;
/** Offered to miners of blocks where the node has no opinion: one gwei. */
const defaultTip = 1_000_000_000n;

/** Twice the base fee of the newest block plus the node's tip: room for six full blocks in a row. */
export function createFees(client: RpcClient): Fees {
  let known: { readonly fees: GasFees; readonly at: number } | undefined;
  return {
    current: async () => {
      if (known !== undefined && performance.now() - known.at < freshMs) return known.fees;
      const [block, tip] = await Promise.all([client.getBlock({ includeTransactions: false }), tipOf(client)]);
      const fees = { maxFeePerGas: 2n * (block.baseFeePerGas ?? defaultTip) + tip, maxPriorityFeePerGas: tip };
      known = { fees, at: performance.now() };
      return fees;
    },
    refresh: () => {
      known = undefined;
    },
  };
}

async function tipOf(client: RpcClient): Promise<bigint> {
  try {
    return BigInt(await client.request({ method: 'eth_maxPriorityFeePerGas' }));
  } catch (error) {
    if (nodeAnswer(error) === undefined) throw error;
    return defaultTip;
  }
}

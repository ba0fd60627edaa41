import { nodeAnswer, type RpcClient } from './rpc-client.ts';

/** What a transaction offers per unit of gas, in wei of the chain's own coin. */
export interface GasFees {
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
}

/** Knows what to offer, without asking the node for every transaction. */
export interface Fees {
  current(): Promise<GasFees>;
  /** The most that is ever offered per unit of gas. */
  readonly capWei: bigint;
  /** Forgets what it knows, after a node found an offer too low. */
  refresh(): void;
}

/** How long an answer is used; shorter than the block time of any public chain. */
const freshMs = 2_000;
/** Offered to miners of blocks where the node has no opinion: one gwei. */
const defaultTip = 1_000_000_000n;

/** The most that is offered per unit of gas unless told otherwise, in wei of the chain's own coin: 500 gwei. */
export const defaultFeeCapWei = 500_000_000_000n;

/** Twice the base fee of the newest block plus the node's tip: room for six full blocks in a row. At most the cap. */
export function createFees(client: RpcClient, capWei: bigint = defaultFeeCapWei): Fees {
  let known: { readonly fees: GasFees; readonly at: number } | undefined;
  return {
    capWei,
    current: async () => {
      if (known !== undefined && performance.now() - known.at < freshMs) return known.fees;
      const [block, tip] = await Promise.all([client.getBlock({ includeTransactions: false }), tipOf(client)]);
      const maxFeePerGas = least(2n * (block.baseFeePerGas ?? defaultTip) + tip, capWei);
      const fees = { maxFeePerGas, maxPriorityFeePerGas: least(tip, maxFeePerGas) };
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

/**
 * What to offer for a transaction that waits under an older offer: an eighth more of both fees, for nodes take a
 * replacement only from a tenth on, or what is asked for now where that is more. Undefined where the cap leaves no room.
 */
export function raisedFees(old: GasFees, now: GasFees, capWei: bigint): GasFees | undefined {
  const leastFee = raised(old.maxFeePerGas);
  const leastTip = raised(old.maxPriorityFeePerGas);
  if (leastFee > capWei || leastTip > capWei) return undefined;
  const maxFeePerGas = least(most(leastFee, now.maxFeePerGas, leastTip), capWei);
  return { maxFeePerGas, maxPriorityFeePerGas: least(most(leastTip, now.maxPriorityFeePerGas), maxFeePerGas) };
}

/** An eighth more, rounded up, and one more of nothing. */
function raised(fee: bigint): bigint {
  return fee + (fee + 7n) / 8n + (fee === 0n ? 1n : 0n);
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function most(first: bigint, ...others: readonly bigint[]): bigint {
  return others.reduce((a, b) => (a > b ? a : b), first);
}

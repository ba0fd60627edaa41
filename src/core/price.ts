/**
 * The demand multiplier as the contracts compute it (`contracts/src/libraries/DemandMath.sol`), bit for bit: all in
 * integers, rounded down. `contracts/test/vectors/demand.json` holds both to the same results.
 */

/** How a model's price follows the demand for it, as `Parameters.demand()` has it. */
export type DemandRules = {
  /** Below this use the multiplier falls, in ten-thousandths. */
  readonly bandLowBps: number;
  /** Above this use it rises. */
  readonly bandHighBps: number;
  /** How far it moves in one period, at most. */
  readonly stepBps: number;
  readonly floorBps: number;
  readonly ceilingBps: number;
};

const bps = 10_000n;
/** What factors are counted in. */
const one = 10n ** 18n;
/** One, as a multiplier is kept. */
export const demandUnit = 10n ** 12n;
/** One, as a task is priced at: in millionths. */
export const demandPpmOne = 1_000_000;
const mostFactor = one * 1_000_000n;

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** How much of what could be done was done, in ten-thousandths; the middle where no capacity is known. */
export function useBps(workWei: bigint, capacityWei: bigint): bigint {
  if (capacityWei === 0n) return bps / 2n;
  return workWei >= capacityWei ? bps : (workWei * bps) / capacityWei;
}

/** The factor of one period, in 10^-18. */
export function demandFactor(use: bigint, rules: DemandRules): bigint {
  const [low, high] = [BigInt(rules.bandLowBps), BigInt(rules.bandHighBps)];
  const step = (BigInt(rules.stepBps) * one) / bps;
  if (use < low) return one - (step * (low - use)) / low;
  if (use > high) return one + (step * (use - high)) / (bps - high);
  return one;
}

/** A factor times itself, by squaring, and no further than any multiplier can reach. */
export function demandPower(factor: bigint, exponent: bigint): bigint {
  let result = one;
  let base = factor;
  for (let left = exponent; left !== 0n; left >>= 1n) {
    if ((left & 1n) !== 0n) result = least((result * base) / one, mostFactor);
    if (left > 1n) base = least((base * base) / one, mostFactor);
  }
  return result;
}

/** A multiplier, in 10^-12, after a period of a use and `idle` periods more of another. */
export function moveDemand(multiplier: bigint, use: bigint, idleUse: bigint, idle: bigint, rules: DemandRules): bigint {
  const moved = clampDemand((multiplier * demandFactor(use, rules)) / one, rules);
  return idle === 0n ? moved : clampDemand((moved * demandPower(demandFactor(idleUse, rules), idle)) / one, rules);
}

/** The price of delivered tokens at a demand, never above the escrow. In wei. */
export function taskPrice(
  tokens: { readonly prompt: bigint; readonly output: bigint },
  prices: { readonly promptTokenWei: bigint; readonly outputTokenWei: bigint },
  demandPpm: number,
  escrowWei: bigint,
): bigint {
  const baseWei = tokens.prompt * prices.promptTokenWei + tokens.output * prices.outputTokenWei;
  return least((baseWei * BigInt(demandPpm)) / BigInt(demandPpmOne), escrowWei);
}

function clampDemand(multiplier: bigint, { floorBps, ceilingBps }: DemandRules): bigint {
  const floor = (demandUnit * BigInt(floorBps)) / bps;
  const ceiling = (demandUnit * BigInt(ceilingBps)) / bps;
  return multiplier < floor ? floor : least(multiplier, ceiling);
}

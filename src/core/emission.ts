import { type Wei, wei } from './wei.ts';

/** How much $COR rewards emit. */
export interface EmissionCurve {
  /** What the first epoch emits. */
  readonly firstWei: Wei;
  /** In how many epochs the emission halves, 1 to 65,536. */
  readonly halvingEpochs: number;
}

/** After so many halvings nothing is emitted any more. */
const halvingsMax = 64n;

/**
 * What the first epochs emit together: one fraction, rounded down once. Within a period the emission falls by the same
 * amount from epoch to epoch until it is half; each period is the one before, halved. With p epochs to a period, H whole
 * periods and j epochs more it is `first · (2p(3p + 1)(2^H - 1) + 4pj - j(j - 1)) / (4p · 2^H)`, as in
 * `contracts/src/libraries/Emission.sol`.
 */
export function totalEmissionWei({ firstWei, halvingEpochs }: EmissionCurve, epochs: bigint | number): Wei {
  const p = BigInt(halvingEpochs);
  let periods = BigInt(epochs) / p;
  let more = BigInt(epochs) % p;
  if (periods >= halvingsMax) [periods, more] = [halvingsMax, 0n];
  const whole = 2n * p * (3n * p + 1n) * ((1n << periods) - 1n);
  return wei((BigInt(firstWei) * (whole + 4n * p * more - more * (more - 1n))) / ((4n * p) << periods));
}

/** What one epoch emits at most, from 1. */
export function emissionWei(curve: EmissionCurve, epoch: bigint | number): Wei {
  return wei(BigInt(totalEmissionWei(curve, epoch)) - BigInt(totalEmissionWei(curve, BigInt(epoch) - 1n)));
}

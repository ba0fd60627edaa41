import type { Hex } from './hash.ts';
import type { Address } from './ids.ts';
import { typedDataDigest } from './typed-data.ts';

/** What the validators of a round sign: its data set and which answers are good. */
export interface RoundOutcome {
  readonly round: number;
  readonly datasetDigest: Hex;
  /** Bit i for the i-th of the miners drawn. */
  readonly honest: number;
}

const outcomeType = 'RoundOutcome(uint64 round,bytes32 datasetDigest,uint16 honest)';

/** The EIP-712 digest of an outcome: `outcomeDigest` of `contracts/src/RoundBook.sol`. */
export function roundOutcomeDigest(
  chainId: number,
  contract: Address,
  { round, datasetDigest, honest }: RoundOutcome,
): Hex {
  const domain = { name: 'pouw NetworkSessions', version: '1', chainId, contract };
  return typedDataDigest(domain, outcomeType, [round, datasetDigest, honest]);
}

import { type Hex, keccakWords } from './hash.ts';
import type { Address } from './ids.ts';

/** Members of a pool that one draw looks at; the contract's bound too. */
export const drawLooksMax = 32;

/** The id of a round of the network sessions of a chain, where a task's is asked for. */
export function roundTask(chainId: number, contract: Address, round: number): Hex {
  return keccakWords([chainId, contract, round]);
}

/** What a draw starts from; `role` is the contract's number of it. */
export function drawSeed(beacon: Hex, task: Hex, role: number): Hex {
  return keccakWords([beacon, task, role]);
}

/**
 * Draws up to `want` fit members of a pool: a shuffle that stops early, as in `contracts/src/libraries/RoundDraw.sol`.
 *
 * @param pool its members in their order, as they were when the draw was asked for.
 */
export function drawMembers<Member>(
  pool: readonly Member[],
  seed: Hex,
  want: number,
  isFit: (member: Member) => boolean,
): Member[] {
  const order = [...pool];
  const drawn: Member[] = [];
  const looks = Math.min(pool.length, drawLooksMax);
  for (let look = 0; look < looks && drawn.length < want; look += 1) {
    const place = look + Number(BigInt(keccakWords([seed, look])) % BigInt(pool.length - look));
    const member = order[place] as Member;
    order[place] = order[look] as Member;
    if (isFit(member)) drawn.push(member);
  }
  return drawn;
}

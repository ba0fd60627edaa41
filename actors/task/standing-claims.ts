import type { Address } from '../../src/core/ids.ts';
import { mayBeSelected, type StandingClaim, type TaskContext } from './context.ts';
import type { ClaimLapsed, MinersSelected, OfferClaimed } from './events.ts';

/** Whether a task has such a place and nobody has claimed it. */
export function isFree({ redundancy, claims }: TaskContext, place: number): boolean {
  return place < redundancy && !claims.some((claim) => claim.place === place);
}

/** Whether a miner has claimed a place. */
export function hasClaimed({ claims }: TaskContext, miner: Address): boolean {
  return claims.some((claim) => claim.miner === miner);
}

/** Whether a claim may stand. */
export function mayClaim(context: TaskContext, { miner, place }: OfferClaimed): boolean {
  return mayBeSelected(context) && isFree(context, place) && !hasClaimed(context, miner);
}

/** Whether miners that are said to have come first are those whose claims stand, in that order. */
export function areClaimants({ claims, redundancy }: TaskContext, { scheme, miners }: MinersSelected): boolean {
  if (scheme === undefined) return true;
  return miners.length === redundancy && miners.every((miner, index) => claims[index]?.miner === miner);
}

/** The claims with another one. */
export function claimsWith({ claims }: TaskContext, { miner, place, at }: OfferClaimed): readonly StandingClaim[] {
  return [...claims, { miner, place, at }];
}

/** The claims without a miner's, whose place is offered again. */
export function claimsWithout(
  { claims, reoffered }: TaskContext,
  { miner, at }: ClaimLapsed,
): Pick<TaskContext, 'claims' | 'reoffered'> {
  const lost = claims.filter((claim) => claim.miner === miner);
  const again = Object.fromEntries(lost.map(({ place }) => [place, at]));
  return { claims: claims.filter((claim) => claim.miner !== miner), reoffered: { ...reoffered, ...again } };
}

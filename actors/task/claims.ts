import { accept, type Decision, type Env, reject, unchanged } from '../../src/core/decision.ts';
import type { Folded } from '../../src/core/fold.ts';
import type { Address, TaskId } from '../../src/core/ids.ts';
import { mayBeSelected, type TaskContext } from './context.ts';
import type { TaskEvent } from './events.ts';
import { hasClaimed, isFree } from './standing-claims.ts';

/** A miner takes an offered place of a task; its signature, and that it is fit, are checked before. */
export type ClaimOffer = {
  readonly type: 'ClaimOffer';
  readonly task: TaskId;
  readonly miner: Address;
  readonly place: number;
  readonly offer: string;
  readonly signature: string;
};

/** A miner that has claimed a place is not there for it any more. */
export type LapseClaim = {
  readonly type: 'LapseClaim';
  readonly task: TaskId;
  readonly miner: Address;
  readonly reason: string;
};

type State = Folded<TaskContext>;

/** The places of a task that miners may claim now. */
export function freePlaces({ value, context }: State): number[] {
  if (value !== 'queued' || !mayBeSelected(context)) return [];
  return Array.from({ length: context.redundancy }, (_, place) => place).filter((place) => isFree(context, place));
}

/** The first claim of a place wins, one for each miner. The same claim again changes nothing. */
export function claimOffer(state: State, command: ClaimOffer, env: Env): Decision<TaskEvent> {
  const { task, miner, place, offer, signature } = command;
  const earlier = state.context.claims.find((claim) => claim.miner === miner);
  if (earlier?.place === place) return unchanged;
  if (!freePlaces(state).includes(place)) {
    return reject('offer_closed', `Place ${place} of task ${task} is taken, or not wanted any more.`, {
      class: 'conflict',
    });
  }
  if (earlier !== undefined) {
    return reject('already_claimed', `${miner} has a place of task ${task} already.`, {
      class: 'conflict',
      hint: 'Leave the other places to others: answers are compared.',
    });
  }
  return accept<TaskEvent>({ type: 'OfferClaimed', task, miner, place, offer, at: env.now, signature });
}

/** The place is offered again. */
export function lapseClaim(state: State, { task, miner, reason }: LapseClaim, env: Env): Decision<TaskEvent> {
  const { value, context } = state;
  if (value !== 'queued' || context.selected || !hasClaimed(context, miner)) return unchanged;
  return accept<TaskEvent>({ type: 'ClaimLapsed', task, miner, at: env.now, reason });
}

import type { AckOnChain, PrecommitOnChain, RevealOnChain } from '../../../actors/miner/effects.ts';
import type { Address } from '../../core/ids.ts';
import type { ChainSlotState, ChainTaskRecord, ChainTaskState } from '../../ports/queue-messages.ts';

/** What a miner has to say to the chain. */
export type ChainEffect = AckOnChain | PrecommitOnChain | RevealOnChain;

/**
 * How a part that the contract has refused stands on chain: `there`; of a task that is `over`, so that nothing is bound any
 * more; still `open` by the newest block, so that the refusal is of one that is not there yet; or `gone`.
 */
export type RefusedStanding = 'there' | 'over' | 'open' | 'gone';

interface Goal {
  readonly done: readonly ChainSlotState[];
  readonly open: readonly ChainSlotState[];
  readonly while: readonly ChainTaskState[];
}

/** By effect: the states of its slot in which the chain has it, and those of slot and task in which it is still to come. */
const goals: Readonly<Record<ChainEffect['kind'], Goal>> = {
  ackOnChain: {
    done: ['acked', 'precommitted', 'revealed'],
    open: ['assigned'],
    while: ['assigned', 'executing'],
  },
  precommitOnChain: {
    done: ['precommitted', 'revealed'],
    open: ['assigned', 'acked'],
    while: ['assigned', 'executing'],
  },
  revealOnChain: { done: ['revealed'], open: ['precommitted'], while: ['executing', 'precommitted'] },
};

/** The contract's words for "that part is not expected now": of the state of a task or slot, and not of what was brought. */
const untimely: ReadonlySet<unknown> = new Set(['WrongTaskState', 'WrongSlotState']);

/**
 * How a refused part stands by what the newest block says.
 *
 * @param reason the contract's word. A chain tries a call on what waits for its next block, too: another's transaction with
 *   the same part may be among that, and the newest block not have it.
 */
export function refusedStanding(
  { kind, attempt }: Pick<ChainEffect, 'kind' | 'attempt'>,
  miner: Address,
  record: ChainTaskRecord | undefined,
  reason: unknown,
): RefusedStanding {
  if (record === undefined) return 'gone';
  if (record.state === 'settled' || record.state === 'refunded') return 'over';
  const goal = goals[kind];
  const slot = record.slots.find((one) => one.miner === miner && one.attempt === attempt);
  if (slot === undefined) return 'gone';
  if (goal.done.includes(slot.state)) return 'there';
  const isOpen = goal.open.includes(slot.state) && goal.while.includes(record.state);
  return isOpen && untimely.has(reason) ? 'open' : 'gone';
}

import type { Address } from '../../src/core/ids.ts';
import type { Join, Slot, TaskContext } from './context.ts';
import type { Delivered, MinerTimedOut } from './events.ts';

/** A place that a miner has just been given. */
export function freshSlot(miner: Address, attempt: number, deadline: number): Slot {
  return { miner, attempt, phase: 'assigned', deadline, hash: null, resultRoot: null, result: null };
}

/** Whether a miner has a place of the task. */
export function isMinerOf({ slots }: TaskContext, miner: Address): boolean {
  return slots.some((slot) => slot.miner === miner);
}

/** The slots with a change of one miner's. */
export function changeSlot(context: TaskContext, miner: string, change: Partial<Slot>): Pick<TaskContext, 'slots'> {
  return { slots: context.slots.map((slot) => (slot.miner === miner ? { ...slot, ...change } : slot)) };
}

/** What is left when a miner is past its deadline: its place is another's, or gone. */
export function afterReplacement(
  context: TaskContext,
  { miner, replacement, attempt, ackBy, delivered }: MinerTimedOut,
): Pick<TaskContext, 'slots' | 'primary' | 'joins' | 'timedOut'> {
  const slots = context.slots.flatMap((slot): Slot[] => {
    if (slot.miner !== miner) return [slot];
    return replacement === null ? [] : [freshSlot(replacement, attempt, ackBy)];
  });
  const primary = context.primary === miner ? (replacement ?? slots[0]?.miner ?? null) : context.primary;
  const joins = joinsAfter(context, primary, delivered);
  return { slots, primary, joins, timedOut: [...context.timedOut, miner] };
}

/** The words go on from another miner where the client had been given some. */
function joinsAfter(
  { primary: from, joins }: TaskContext,
  to: Address | null,
  delivered: Delivered | undefined,
): readonly Join[] {
  if (delivered === undefined || from === null || to === null || from === to) return joins;
  return [...joins, { from, to, deliveredTokens: delivered.tokens, prefixHash: delivered.prefixHash }];
}

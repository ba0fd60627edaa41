import { PouwError } from '../errors.ts';
import type { Hex } from '../hash.ts';
import { type Address, type SessionId, sessionNumber, type TaskId } from '../ids.ts';
import { zeroWei } from '../wei.ts';
import type { PrecommitLeaf } from './leaves.ts';

/** Slots as a verdict for a batch is about them. */
export interface VerdictSlots {
  readonly session: SessionId;
  readonly task: TaskId;
  readonly poster: Address;
  readonly slots: readonly { readonly miner: Address; readonly attempt: number; readonly hash: Hex }[];
}

/** What a verdict is signed about: of the leaf only what the message binds is known here. */
export function verdictLeaf({ session, task, slots }: VerdictSlots): PrecommitLeaf {
  return {
    position: 0,
    session: Number(sessionNumber(session)),
    task,
    step: 0,
    maxPriceWei: zeroWei,
    miners: slots.map(({ miner }) => miner),
    attempts: slots.map(({ attempt }) => attempt),
    precommits: slots.map(({ hash }) => hash),
    validators: [],
  };
}

/** Miners as a set of slots. @throws PouwError `verdict_of_strangers` where one has no slot. */
export function slotSet(slots: VerdictSlots['slots'], miners: readonly Address[]): number {
  return miners.reduce((set, miner) => set | (1 << slotOf(slots, miner)), 0);
}

/** A miner's slot. @throws PouwError `verdict_of_strangers` where it has none. */
export function slotOf(slots: VerdictSlots['slots'], miner: Address): number {
  const slot = slots.findIndex((one) => one.miner === miner);
  if (slot >= 0) return slot;
  throw new PouwError('verdict_of_strangers', `${miner} has no place in the batch that the verdict is for.`);
}

import type { ChainFact, ChainPlace } from '../../src/core/chain-fact.ts';
import type { Address, TaskId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import type { SeenAt } from '../task/events.ts';
import type { CountedDeposit, SessionContext } from './context.ts';
import type { ChainFactReverted, SessionDeposited, SessionEvent } from './events.ts';

/**
 * What a session remembers of the chain's facts, and what it may forget. Facts come in chain order, at least once;
 * a reorg takes them back newest first. So one number tells old facts from new ones for good, and only what a
 * reorg can still reach is kept one by one.
 */

/** Whether all facts of a block have been taken: one of it that is not known here is a repetition of a forgotten one. */
export function isPast({ seenTo }: SessionContext, block: number): boolean {
  return block < seenTo;
}

/** The newest block of which a fact is taken, after an event. What a reorg takes back leads back to its block. */
export function seenToAfter({ seenTo }: SessionContext, event: SessionEvent): number {
  const seen = 'seen' in event ? event.seen : null;
  if (seen === null) return seenTo;
  return takenBack.has(event.type) ? Math.min(seenTo, seen.block) : Math.max(seenTo, seen.block);
}

const takenBack: ReadonlySet<SessionEvent['type']> = new Set([
  'ChainFactReverted',
  'SessionDepositReverted',
  'AssignmentReverted',
]);

/** Names a deposit for good: a reorg may put the same transaction into another block. */
export function depositKey(seen: { readonly txHash: string }, from: string): string {
  return `${seen.txHash}:${from}`;
}

/** A deposit that is kept one by one; undefined for one that is not there or was forgotten. */
export function depositOf({ deposits }: SessionContext, seen: SeenAt, from: string): CountedDeposit | undefined {
  const wanted = depositKey(seen, from);
  return deposits.find(({ key }) => key === wanted);
}

/**
 * The deposits with another one. Those of the oldest block are let go of where there are more blocks than any reorg
 * reaches back: nothing takes them back any more, and whoever tells them again speaks of a block that {@link isPast}.
 */
export function depositsWith({ deposits }: SessionContext, event: SessionDeposited): readonly CountedDeposit[] {
  const { seen, from, amountWei } = event;
  const all = [...deposits, { key: depositKey(seen, from), amountWei, block: seen.block }];
  if (all.length <= limits.sessionDepositBlocksKept) return all;
  const blocks = new Set(all.map(({ block }) => block));
  const [oldest] = blocks;
  return blocks.size <= limits.sessionDepositBlocksKept ? all : all.filter(({ block }) => block !== oldest);
}

/** What names a fact: one transaction may bring several of a type, each about another task or from another account. */
export type NamedFact = {
  readonly type: ChainFact['type'];
  readonly place: Pick<ChainPlace, 'txHash'>;
  readonly task?: TaskId;
  readonly from?: Address;
};

/** Names a fact so that it is recognised when a reorg takes it back or brings it again. */
export function factKey({ type, place, task, from }: NamedFact): string {
  return [place.txHash, type, task ?? from ?? []].flat().join(':');
}

/** Whether a reorg has taken a fact back and it has not come again, as far as is remembered. */
export function isReverted({ reverted }: SessionContext, fact: NamedFact): boolean {
  const wanted = factKey(fact);
  return reverted.some(({ key }) => key === wanted);
}

/**
 * The facts that a reorg has taken back, with another one. The oldest notes are let go of, and they are those of the
 * newest facts: what they are about the state still knows by itself, so all that is lost is the note that they stand
 * again.
 */
export function revertedWith({ reverted }: SessionContext, event: ChainFactReverted): SessionContext['reverted'] {
  const { key, fact } = event;
  const others = reverted.filter((one) => one.key !== key);
  return [...others, { key, fact }].slice(-limits.sessionRevertedFactsKept);
}

import type { ChainFact } from '../../src/core/chain-fact.ts';
import { accept, type Decision, type Env, reject, unchanged } from '../../src/core/decision.ts';
import type { Folded } from '../../src/core/fold.ts';
import type { SessionId } from '../../src/core/ids.ts';
import { addWei, lessWei, type Wei } from '../../src/core/wei.ts';
import { restoreAssignment, revertAssignment } from '../task/assignment.ts';
import { isOffChain } from '../task/batched.ts';
import { neverSubmitted, type TaskFact } from '../task/decide.ts';
import { type SeenAt, seenAt } from '../task/events.ts';
import { depositOf, factKey, isPast, isReverted } from './chain-memory.ts';
import { changeOf, isChange, undoOf } from './changes.ts';
import type { SessionContext } from './context.ts';
import type { SessionEvent } from './events.ts';
import { taskState } from './tasks.ts';

/** The chain said something about the session itself. */
export type SeeSessionFact = {
  readonly type: 'SeeSessionFact';
  readonly fact: Extract<ChainFact, { type: `Session${string}` }>;
};
/** A reorg took back a fact about the session or one of its tasks. */
export type UnseeFact = { readonly type: 'UnseeFact'; readonly fact: ChainFact };

type State = Folded<SessionContext>;

/** What a fact about the session itself leads to. Facts seen before change nothing. */
export function seeSessionFact({ value, context }: State, { fact }: SeeSessionFact): Decision<SessionEvent> {
  const seen = seenAt(fact.place);
  if (isChange(fact)) {
    if (context.session === null) return notOpen(fact.session);
    const change = value === 'closed' ? undefined : changeOf(context, fact);
    return change === undefined ? unchanged : accept<SessionEvent>(change);
  }
  switch (fact.type) {
    case 'SessionOpened':
      if (context.session !== null) return unchanged;
      return accept({ type: 'SessionOpened', session: fact.session, client: fact.client, terms: fact.terms, seen });
    case 'SessionDeposited':
      if (context.session === null) return notOpen(fact.session);
      if (value === 'closed' || isCounted(context, fact)) return unchanged;
      return accept({ type: 'SessionDeposited', from: fact.from, amountWei: fact.amountWei, seen });
    case 'SessionDraining':
      return value === 'open' || value === 'suspended' ? accept({ type: 'SessionDraining', seen }) : unchanged;
    case 'SessionClosed':
      if (value === 'closed' || value === 'opening') return unchanged;
      return close(context, fact.refundedWei, seen);
  }
}

function notOpen(session: SessionId): Decision<never> {
  return reject('session_not_found', `Session ${session} is not open here.`, { class: 'not-found' });
}

/** Whether a deposit is in the balance: a kept one, a forgotten one, or one that a reorg took back and that was spent. */
function isCounted(context: SessionContext, fact: Extract<ChainFact, { type: 'SessionDeposited' }>): boolean {
  const { place, from } = fact;
  return (
    depositOf(context, seenAt(place), from) !== undefined || isPast(context, place.block) || isReverted(context, fact)
  );
}

/** Tasks that were set aside for and never got on chain end before the session does. */
function close(context: SessionContext, refundedWei: Wei, seen: SeenAt): Decision<SessionEvent> {
  const open = Object.values(context.tasks);
  const unsent = open.filter((task) => isOffChain(task.context));
  const leftWei = addWei(context.money.balanceWei, ...unsent.map((task) => task.context.escrowWei));
  if (unsent.length < open.length || leftWei !== refundedWei) {
    return reject(
      'refund_mismatch',
      `The chain closed the session with ${refundedWei} wei; here it has ${leftWei} and ${open.length} open tasks.`,
      { class: 'corrupt' },
    );
  }
  const ends = unsent.flatMap((task): SessionEvent[] =>
    neverSubmitted(task.context, 'session_closed', 'The session was closed before the task was on chain.'),
  );
  return accept<SessionEvent>(...ends, { type: 'SessionClosed', refundedWei, seen });
}

/**
 * What it leads to that a reorg took a fact back. Money that is still there goes; all else is noted, but for what was
 * never taken here.
 */
export function unseeFact({ value, context }: State, { fact }: UnseeFact, env: Env): Decision<SessionEvent> {
  const seen = seenAt(fact.place);
  if (seen.block > context.seenTo) return unchanged;
  if (fact.type === 'SessionDeposited') {
    const counted = depositOf(context, seen, fact.from)?.amountWei;
    if (counted === undefined) return unchanged;
    if (value !== 'closed' && counted === fact.amountWei && !lessWei(context.money.balanceWei, counted)) {
      return accept({ type: 'SessionDepositReverted', from: fact.from, amountWei: fact.amountWei, seen });
    }
  }
  if (fact.type === 'SessionClosed' && value === 'closed' && fact.refundedWei === context.money.refundedWei)
    return accept({ type: 'SessionCloseReverted', refundedWei: fact.refundedWei, seen });
  if (isReverted(context, fact)) return unchanged;
  const isAssignment = fact.type === 'MinersAssigned' && value !== 'closed';
  const task = isAssignment ? revertAssignment(taskState(context, fact.task), seen, env) : [];
  // What it undoes comes before the note: the note says from which block on facts are to be taken again.
  const undo = isChange(fact) && value !== 'closed' ? undoOf(context, fact) : undefined;
  const note: SessionEvent = { type: 'ChainFactReverted', fact: fact.type, key: factKey(fact), seen };
  return accept<SessionEvent>(...(undo === undefined ? [] : [undo]), note, ...task);
}

function isPlaced(fact: ChainFact | TaskFact): fact is ChainFact {
  return fact.place !== null;
}

/**
 * Puts before what a fact leads to that it stands again, where a reorg had taken it back. An assignment that is waited
 * for stands again whether or not the note of it is still there.
 */
export function restored(
  { value, context }: State,
  fact: ChainFact | TaskFact,
  decision: Decision<SessionEvent>,
): Decision<SessionEvent> {
  // What nodes have signed no reorg takes back.
  if (!decision.ok || !isPlaced(fact)) return decision;
  const seen = seenAt(fact.place);
  const note: SessionEvent[] = isReverted(context, fact)
    ? [{ type: 'ChainFactRestored', fact: fact.type, key: factKey(fact), seen }]
    : [];
  const isAssignment = fact.type === 'MinersAssigned' && value !== 'closed';
  const task = isAssignment ? restoreAssignment(taskState(context, fact.task), seen) : [];
  return note.length + task.length === 0 ? decision : accept<SessionEvent>(...note, ...task, ...decision.events);
}

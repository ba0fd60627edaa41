import type { Folded } from '../../src/core/fold.ts';
import type { Address } from '../../src/core/ids.ts';
import type { OracleContext, WatchContext, WatchedSlot } from './context.ts';

/** What is done about a deadline. `nominate` needs to be done by its time, and is none that anybody has missed. */
export type OracleAction = 'reassign' | 'resolve' | 'expire' | 'nominate' | 'endUndrawn' | 'end';

/** A deadline of a watched task. `name` is the same for one attempt of one slot, and never used again. */
export type Deadline = {
  readonly name: string;
  /** Milliseconds since 1970. The chain acts after it, not at it. */
  readonly at: number;
  readonly action: OracleAction;
  readonly miner: Address | null;
};

/** The chain counts whole seconds, so the first block after a deadline is a second later. */
const blockTimeMs = 1_000;

/** The deadlines that a task's state waits for. */
export function deadlinesOf({ value, context }: Folded<WatchContext>): Deadline[] {
  const { slots, attestBy, expireBy } = context;
  const whole: Deadline[] =
    expireBy === null ? [] : [{ name: `expire:${value}`, at: expireBy, action: 'expire', miner: null }];
  switch (value) {
    case 'queued':
      return whole;
    case 'working':
      return [...slots.flatMap((slot) => slotDeadline(slot, { assigned: 'ack', acked: 'precommit' })), ...whole];
    case 'revealing':
      return [...slots.flatMap((slot) => slotDeadline(slot, { precommitted: 'reveal' })), ...whole];
    case 'attesting':
      return [{ name: 'attest', at: attestBy, action: 'resolve', miner: null }];
    case 'appealed':
      return appealDeadlines(context);
    default:
      return [];
  }
}

/**
 * Each oracle looks at the draw twice: as soon as there is a beacon, and once more in the middle of the time, when others
 * have named whom they know and who was at rest may have come back. Then it ends what cannot be decided, or was not.
 */
function appealDeadlines({ appealedAt, drawBy, attestBy }: WatchContext): Deadline[] {
  const of = (name: string, at: number, action: OracleAction): Deadline => ({ name, at, action, miner: null });
  return [
    of(`nominate:${appealedAt}`, appealedAt, 'nominate'),
    of(`nominate-again:${appealedAt}`, Math.floor((appealedAt + drawBy) / 2), 'nominate'),
    of(`undrawn:${drawBy}`, drawBy, 'endUndrawn'),
    of(`appeal:${attestBy}`, attestBy, 'end'),
  ];
}

function slotDeadline(
  { miner, phase, deadline }: WatchedSlot,
  awaited: { readonly [phase: string]: string },
): Deadline[] {
  const step = awaited[phase];
  return step === undefined ? [] : [{ name: `${step}:${miner}`, at: deadline, action: 'reassign', miner }];
}

/** Who leads at a time: the oracles take turns of `sliceMs`, by address. Undefined where none is active. */
export function leaderAt({ active, sliceMs }: OracleContext, at: number): Address | undefined {
  return active[Math.floor(at / sliceMs) % active.length];
}

/**
 * When this oracle may act on a deadline: at once if it leads then, else when its turn comes, and in any
 * case one slice later, so that a dead leader is replaced. Undefined where it takes no part.
 */
export function mayActFrom(context: OracleContext, deadlineAt: number): number | undefined {
  const { oracle, sliceMs } = context;
  const due = deadlineAt + blockTimeMs;
  if (oracle === null || context.oracles[oracle] !== true) return undefined;
  if (leaderAt(context, due) === oracle) return due;
  const nextTurn = (Math.floor(due / sliceMs) + 1) * sliceMs;
  return leaderAt(context, nextTurn) === oracle ? nextTurn : due + sliceMs;
}

/** When the deadline is to be looked at next; undefined where it is in hand, or not this oracle's. */
export function nextLookAt(context: OracleContext, watch: WatchContext, deadline: Deadline): number | undefined {
  const enforcement = watch.enforcements[deadline.name];
  if (enforcement !== undefined && enforcement.stage !== 'waiting') return undefined;
  const from = mayActFrom(context, deadline.at);
  return from === undefined ? undefined : Math.max(from, enforcement?.notBefore ?? 0);
}

/** Whether a deadline has passed by a block's time. */
export function isPastOnChain(deadline: Deadline, blockAt: number): boolean {
  return blockAt > deadline.at;
}

/** The next candidate by rank that was not in the task and that the chain has not refused; null where none is left. */
export function replacementFor({ ranking, slots, unfit }: WatchContext): Address | null {
  return ranking.find((miner) => !unfit.includes(miner) && !slots.some((slot) => slot.miner === miner)) ?? null;
}

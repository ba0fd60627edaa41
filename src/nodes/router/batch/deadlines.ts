import { isBatched } from '../../../../actors/task/batched.ts';
import type { SessionContext } from '../../../../actors/session/context.ts';
import type { SessionCommand } from '../../../../actors/session/decide.ts';
import type { Slot, TaskContext } from '../../../../actors/task/context.ts';
import type { TaskFact } from '../../../../actors/task/decide.ts';
import { present } from '../../../core/assert.ts';
import type { Folded } from '../../../core/fold.ts';
import type { Hex } from '../../../core/hash.ts';
import type { Address } from '../../../core/ids.ts';

/** How often the places of a task are given to others. */
const replacementsMax = 5;
const noDigest: Hex = `0x${'00'.repeat(32)}`;

/**
 * What a batched session is to be told now, without anybody's having said something: that miners are late, that all have
 * shown what they have, that validators are late. No oracle is asked and nobody loses stake: the owner answers for it, by
 * its clock, and the log shows it.
 */
export function dueCommands({ context }: Folded<SessionContext>, router: Address, now: number): SessionCommand[] {
  return Object.values(context.tasks).flatMap((task) =>
    isBatched(task.context) ? dueOf(context, task, router, now) : [],
  );
}

type Task = Folded<TaskContext>;

function dueOf(session: SessionContext, task: Task, router: Address, now: number): SessionCommand[] {
  const { value, context } = task;
  switch (value) {
    case 'assigned':
    case 'executing':
      return beforeBatch(session, context, router, now);
    case 'precommitted':
      return revealing(session, context, router, now);
    case 'committed':
      return judging(session, context, now);
    default:
      return [];
  }
}

function beforeBatch(session: SessionContext, context: TaskContext, router: Address, now: number): SessionCommand[] {
  const { task, slots } = context;
  if (slots.length < present(session.terms, 'terms').minMiners) {
    return [{ type: 'GiveUpTask', task, code: 'task_exhausted', reason: 'Too few miners were in time.' }];
  }
  const late = slots.filter(({ phase, deadline }) => phase !== 'precommitted' && deadline <= now);
  const others = context.ranking.filter((miner) => !isIn(context, miner));
  return late.map((slot, index) => {
    const isLast = context.timedOut.length + index >= replacementsMax;
    return lateMiner(session, context, slot, isLast ? null : (others[index] ?? null), router, now);
  });
}

function isIn({ slots, timedOut }: TaskContext, miner: Address): boolean {
  return timedOut.includes(miner) || slots.some((slot) => slot.miner === miner);
}

function revealing(session: SessionContext, context: TaskContext, router: Address, now: number): SessionCommand[] {
  const { task, slots } = context;
  if (slots.length === 0)
    return [{ type: 'GiveUpTask', task, code: 'task_exhausted', reason: 'Nobody has shown a result.' }];
  if (slots.every(({ phase }) => phase === 'committed')) {
    const attestBy = now + present(session.terms, 'terms').validateTimeoutS * 1_000;
    return [signed({ type: 'AllRevealed', session: idOf(session), task, attestBy, place: null })];
  }
  const late = slots.filter(({ phase, deadline }) => phase !== 'committed' && deadline <= now);
  return late.map((slot) => lateMiner(session, context, slot, null, router, now));
}

/** At level 0 nobody compares: whoever has shown something is honest, and the first of them wins. */
function judging(session: SessionContext, context: TaskContext, now: number): SessionCommand[] {
  const { task, attestBy, level, slots } = context;
  if (level === 0) {
    const honest = slots.filter(({ phase }) => phase === 'committed').map(({ miner }) => miner);
    const winner = present(honest[0], 'somebody who has shown a result');
    const counted = { promptTokens: 0, outputTokens: 0, reportDigest: noDigest };
    return [signed({ type: 'ResultValidated', session: idOf(session), task, winner, honest, ...counted, place: null })];
  }
  if (attestBy > now) return [];
  return [{ type: 'GiveUpTask', task, code: 'no_quorum', reason: 'The validators were not in time.' }];
}

function lateMiner(
  session: SessionContext,
  { task }: TaskContext,
  { miner, attempt }: Slot,
  replacement: Address | null,
  oracle: Address,
  now: number,
): SessionCommand {
  const ackBy = now + present(session.terms, 'terms').ackTimeoutS * 1_000;
  const next = { miner, replacement, attempt: attempt + 1, oracle, ackBy };
  return signed({ type: 'MinerReassigned', session: idOf(session), task, ...next, place: null });
}

function idOf({ session }: SessionContext) {
  return present(session, 'session');
}

function signed(fact: TaskFact): SessionCommand {
  return { type: 'SeeTaskFact', fact };
}

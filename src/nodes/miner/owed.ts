import type { JobContext } from '../../../actors/miner/context.ts';
import type { Folded } from '../../core/fold.ts';
import { limits } from '../../core/limits.ts';
import type { ChainSlot, ChainTaskRecord } from '../../ports/queue-messages.ts';

/** What a miner still owes for a job, and how long it is worth waiting for, in milliseconds since 1970. */
export interface Owed {
  readonly what: 'precommit' | 'reveal' | 'content';
  readonly until: number;
}

/** How far a job is: it may be let go of at no cost, its stake is bound by it, or its part is over. */
export type Stage = 'loose' | 'bound' | 'over';

/**
 * How far a job is. Before the precommit is signed nothing is bound: a miner that misses its deadline then loses its slot
 * to another, and no stake. From then on a router may bring the precommit to the chain at any time, and who has
 * precommitted and does not reveal is slashed.
 */
export function stageOf({ value }: Folded<JobContext>): Stage {
  if (value === 'received' || value === 'running' || value === 'produced') return 'loose';
  return value === 'precommitting' || value === 'precommitted' || value === 'revealing' || value === 'revealed'
    ? 'bound'
    : 'over';
}

/** What a miner owes for a job that is bound, by what the chain has of its task; undefined where nothing. */
export function owedFor({ context }: Folded<JobContext>, record: ChainTaskRecord | undefined): Owed | undefined {
  const own = record?.slots.find(({ miner, attempt }) => miner === context.miner && attempt === context.attempt);
  if (record === undefined || own === undefined) return undefined;
  const late = limits.drainLateMs;
  switch (record.state) {
    case 'assigned':
    case 'executing':
      if (own.state === 'precommitted')
        return { what: 'reveal', until: Math.max(own.dueBy, othersDueBy(record.slots)) + late };
      return own.state === 'dropped' ? undefined : { what: 'precommit', until: own.dueBy + late };
    case 'precommitted':
      if (own.state === 'precommitted') return { what: 'reveal', until: record.phaseBy + late };
      return own.state === 'revealed' ? { what: 'content', until: record.phaseBy + late } : undefined;
    case 'committed':
      return own.state === 'revealed' ? { what: 'content', until: record.phaseBy + late } : undefined;
    // Once it is judged those who judged have read the content, and hold it.
    default:
      return undefined;
  }
}

/** What a miner owes as far as its own log tells: where the chain does not answer, and of a session that batches settle. */
export function owedByLog({ value, context }: Folded<JobContext>, sinceMs: number): Owed {
  const known = Math.max(context.precommitBy, context.revealBy);
  const until = (known === 0 ? sinceMs : known) + limits.drainLateMs;
  const what = value === 'precommitting' ? 'precommit' : value === 'revealed' ? 'content' : 'reveal';
  return { what, until };
}

/** When the last of those is late whose precommits are still to come. */
function othersDueBy(slots: readonly ChainSlot[]): number {
  return Math.max(
    0,
    ...slots.flatMap(({ state, dueBy }) => (state === 'assigned' || state === 'acked' ? [dueBy] : [])),
  );
}

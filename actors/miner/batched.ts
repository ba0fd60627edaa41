import { accept, type Decision, unchanged } from '../../src/core/decision.ts';
import type { Folded } from '../../src/core/fold.ts';
import type { TaskId } from '../../src/core/ids.ts';
import { zeroWei } from '../../src/core/wei.ts';
import { jobKey, type MinerContext } from './context.ts';
import type { MinerEvent } from './events.ts';

/** The router of a batched session has taken what the miner signed or showed. */
export type SeeTaken = {
  readonly type: 'SeeTaken';
  readonly task: TaskId;
  readonly attempt: number;
  readonly what: 'precommit' | 'reveal';
};
/** The miner has seen that its precommit is bound on chain. */
export type SeeBound = {
  readonly type: 'SeeBound';
  readonly task: TaskId;
  readonly attempt: number;
  readonly revealBy: number;
};

type State = Folded<MinerContext>;

/** What it leads to that a router has taken a miner's part. */
export function seeTaken({ context }: State, command: SeeTaken): Decision<MinerEvent> {
  const { task, attempt, what } = command;
  const job = context.jobs[jobKey(command)];
  if (job?.context.batched !== true) return unchanged;
  if (what === 'precommit')
    return job.value === 'precommitting'
      ? accept<MinerEvent>({ type: 'JobPrecommitted', task, attempt, seen: null })
      : unchanged;
  if (job.value !== 'revealing') return unchanged;
  return accept<MinerEvent>(
    { type: 'JobRevealed', task, attempt, seen: null },
    { type: 'JobDone', task, attempt, earnedWei: zeroWei, seen: null },
  );
}

/** What it leads to that a precommit is bound on chain: the result may be shown. */
export function seeBound({ context }: State, command: SeeBound): Decision<MinerEvent> {
  const { task, attempt, revealBy } = command;
  const job = context.jobs[jobKey(command)];
  const waits = job?.value === 'precommitting' || job?.value === 'precommitted';
  return waits && job?.context.batched === true
    ? accept<MinerEvent>({ type: 'RevealOpened', task, attempt, revealBy, seen: null })
    : unchanged;
}

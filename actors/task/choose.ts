import { accept, type Decision, reject, unchanged } from '../../src/core/decision.ts';
import type { Folded } from '../../src/core/fold.ts';
import type { Hex } from '../../src/core/hash.ts';
import type { Cid, TaskId } from '../../src/core/ids.ts';
import { rankByRendezvous, type WeightedNode } from '../../src/core/selection.ts';
import { mayBeSelected, type TaskContext } from './context.ts';
import type { TaskEvent } from './events.ts';

/** A selection was made; the decision recomputes it. With `first-come` the miners are those whose claims stand. */
export type ChooseMiners = {
  readonly type: 'ChooseMiners';
  readonly scheme?: 'first-come';
  readonly task: TaskId;
  readonly beaconBlock: number;
  readonly beacon: Hex;
  readonly candidates: readonly WeightedNode[];
  readonly validatorCandidates: readonly WeightedNode[];
  readonly proof: Cid;
};

type State = Folded<TaskContext>;

/** The miners are those whose claims stand, or the first of the draw; the others stand by in its order. */
export function chooseMiners({ value, context }: State, command: ChooseMiners): Decision<TaskEvent> {
  if (value !== 'queued' || !mayBeSelected(context)) return unchanged;
  const { task, beaconBlock, beacon, candidates, validatorCandidates, proof } = command;
  // That of a step is later than the end of what it comes after, too.
  const after = Math.max(context.submittedBlock, context.readyBlock ?? 0);
  if (beaconBlock <= after)
    return reject('beacon_too_early', `The beacon of ${task} must be later than block ${after}.`);
  const drawn = rankByRendezvous(beacon, task, candidates);
  const came = command.scheme === undefined ? [] : context.claims.map(({ miner }) => miner);
  if (command.scheme !== undefined && came.length < context.redundancy)
    return reject('claims_missing', `${came.length} of the ${context.redundancy} places of ${task} are claimed.`);
  const stranger = came.find((miner) => !drawn.includes(miner));
  if (stranger !== undefined)
    return reject('claim_not_candidate', `${stranger} has a place of ${task} and is no candidate.`);
  const ranking = [...came, ...drawn.filter((miner) => !came.includes(miner))];
  if (ranking.length === 0) {
    return accept(cancelRequest(task, 'no_miner'), {
      type: 'TaskFailed',
      task,
      code: 'no_miner',
      reason: `No live miner serves ${context.model}.`,
    });
  }
  const miners = ranking.slice(0, context.redundancy);
  const validators = rankByRendezvous(beacon, task, validatorCandidates).slice(0, context.validatorCount);
  return accept({
    type: 'MinersSelected',
    ...(command.scheme === undefined ? {} : { scheme: command.scheme }),
    task,
    beaconBlock,
    beacon,
    candidates,
    validatorCandidates,
    miners,
    validators,
    ranking,
    proof,
  });
}

/** The wish that a task ends. */
export const cancelRequest = (task: TaskId, reason: string): TaskEvent => ({
  type: 'TaskCancelRequested',
  task,
  reason,
});

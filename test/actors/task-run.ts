import type { ChooseMiners } from '../../actors/task/choose.ts';
import { decideTask, type TaskCommand, type TaskFact } from '../../actors/task/decide.ts';
import type { TaskEvent } from '../../actors/task/events.ts';
import { foldTask } from '../../actors/task/machine.ts';
import type { ChainFactBody } from '../../src/core/chain-fact.ts';
import type { Decision } from '../../src/core/decision.ts';
import { foldEvents } from './actor-run.ts';
import { alice, bob, bytes32, carol, genesisAt, place, session, task, vera } from './chain-facts.ts';
import { good, proof, submitted } from './samples/task.ts';

const env = { now: genesisAt, random: bytes32(1) };
/** The state of a task after a history. */
export const given = (...history: TaskEvent[]) => foldEvents(foldTask, foldTask.initial, history).state;

/** Decides after a history; what follows and the effects of it. */
export function when(history: readonly TaskEvent[], command: TaskCommand, now = env.now) {
  const state = given(...history);
  const decision: Decision<TaskEvent> = decideTask(state, command, { ...env, now });
  if (!decision.ok) return { refused: decision.rejection.code, events: [], effects: [], state };
  return { refused: undefined, events: decision.events, ...foldEvents(foldTask, state, decision.events) };
}
/** A fact of the chain in a block, as a command. */
export const see = (block: number, body: ChainFactBody): TaskCommand => ({
  type: 'SeeTaskFact',
  fact: { ...body, place: place(block) } as TaskFact,
});
export const about = { session, task } as const;

const {
  queued,
  selected,
  assigned,
  ackedByAlice,
  ackedByBob,
  precommittedByAlice,
  precommittedByBob,
  allPrecommitted,
  revealedByAlice,
  revealedByBob,
  allCommitted,
} = good;
export const working = [submitted, queued, selected, assigned] as const;
export const executing = [...working, ackedByAlice, ackedByBob] as const;
export const bound = [...executing, precommittedByAlice, precommittedByBob, allPrecommitted] as const;
export const committed = [...bound, revealedByAlice, revealedByBob, allCommitted] as const;

export const choose: ChooseMiners = {
  type: 'ChooseMiners',
  task,
  beaconBlock: 2,
  beacon: bytes32(2),
  candidates: [alice, bob, carol].map((node) => ({ node, weight: 1 })),
  validatorCandidates: [{ node: vera, weight: 1 }],
  proof,
};

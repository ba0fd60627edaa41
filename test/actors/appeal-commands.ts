import fc from 'fast-check';
import type { TaskContext } from '../../actors/task/context.ts';
import type { AppealFact } from '../../src/core/appeal-fact.ts';
import type { TaskId } from '../../src/core/ids.ts';
import { wei } from '../../src/core/wei.ts';
import { alice, bob, bytes32, genesisAt, session } from './chain-facts.ts';

const found = { promptTokens: 5, outputTokens: 8, reportDigest: bytes32(9) } as const;

const appealed = (task: TaskId): AppealFact => ({
  type: 'OutcomeAppealed',
  session,
  task,
  appellant: bob,
  bondWei: wei(10),
  drawBy: genesisAt,
  attestBy: genesisAt,
});

const decided = (task: TaskId, overturned: boolean): AppealFact => {
  const winner = overturned ? bob : alice;
  return { type: 'AppealDecided', session, task, overturned, winner, honest: [winner], ...found };
};

/** What the chain may say of an appeal of some task, whether or not there is one. */
export const anyAppealFact = (tasks: fc.Arbitrary<TaskId>): fc.Arbitrary<AppealFact> =>
  fc.oneof(
    tasks.map(appealed),
    fc.tuple(tasks, fc.boolean()).map(([task, overturned]) => decided(task, overturned)),
    tasks.map((task): AppealFact => ({ type: 'AppealUndecided', session, task })),
  );

/** What comes next of the appeal of a validated task; undefined where it is settled instead. */
export function nextOfAppeal({ task, appeal }: TaskContext, inBlock: number): AppealFact | undefined {
  if (appeal === undefined) return inBlock % 4 === 1 ? appealed(task) : undefined;
  if (appeal.state !== 'open') return undefined;
  return inBlock % 3 === 0 ? { type: 'AppealUndecided', session, task } : decided(task, inBlock % 3 === 1);
}

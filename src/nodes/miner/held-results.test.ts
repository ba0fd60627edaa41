import { expect, test } from 'vitest';
import { bytes32, session, task } from '../../../test/actors/chain-facts.ts';
import type { ChainFact } from '../../core/chain-fact.ts';
import { taskId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { HeldResults } from './held-results.ts';

const other = taskId(session, bytes32(2));
const posted = (type: string, batch: number) => ({ type, batch }) as unknown as ChainFact;

test('results of a batch are held until it is judged or void, or long after their time', () => {
  const held = new HeldResults();
  held.shown({ task, batch: 1, revealBy: 5_000 }, 0);
  held.shown({ task: other, batch: 2, revealBy: 6_000 }, 0);
  const until = (revealBy: number) => revealBy + limits.drainLateMs;
  expect(held.list(0)).toEqual([
    { task, what: 'content', until: until(5_000) },
    { task: other, what: 'content', until: until(6_000) },
  ]);
  held.note(posted('BatchRevealed', 1));
  held.note(posted('BatchPosted', 3));
  expect(held.list(until(5_000) - 1)).toHaveLength(2);
  expect(held.list(until(5_000)).map((one) => one.task)).toEqual([other]);
  held.note(posted('BatchVoid', 2));
  expect(held.list(0)).toEqual([]);
});

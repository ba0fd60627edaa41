import type { Event } from '../../src/core/commit.ts';
import type { Effect } from '../../src/core/effect.ts';
import type { Folded, FoldStep } from '../../src/core/fold.ts';
import type { TaskId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import type { OracleContext, WatchContext } from './context.ts';
import type { WatchEvent } from './events.ts';
import { foldWatch } from './watch-machine.ts';

/** How many tasks are watched. */
export function watchCount(context: OracleContext): number {
  return Object.keys(context.watches).length;
}

function stepWatch(context: OracleContext, event: Event): FoldStep<WatchContext> {
  return foldWatch.step(context.watches[(event as WatchEvent).task] ?? foldWatch.initial, event);
}

/** Whether the watch's machine takes the event now. What has ended does not start again. */
export function watchTakes(context: OracleContext, event: Event): boolean {
  return !context.ended.includes((event as WatchEvent).task) && stepWatch(context, event).handled;
}

/** Whether nothing is watched after the event. */
export function leavesIdle(context: OracleContext, event: Event): boolean {
  const known = context.watches[(event as WatchEvent).task] !== undefined;
  return known && watchCount(context) === 1 && stepWatch(context, event).state.value === 'ended';
}

/** The effects the watch's machine asks for. */
export function watchEffects(context: OracleContext, event: Event): readonly Effect[] {
  return stepWatch(context, event).effects;
}

/** The watches after an event of one of them; an ended one is let go of, but for its id. */
export function watchesAfter(context: OracleContext, event: Event): Pick<OracleContext, 'watches' | 'ended'> {
  const { task } = event as WatchEvent;
  const { state } = stepWatch(context, event);
  const watches: Record<TaskId, Folded<WatchContext>> = { ...context.watches, [task]: state };
  if (state.value !== 'ended') return { watches, ended: context.ended };
  delete watches[task];
  return { watches, ended: [...context.ended, task].slice(-limits.oracleEndedKept) };
}

import type { Event } from '../../src/core/commit.ts';
import type { Effect } from '../../src/core/effect.ts';
import type { Folded, FoldStep } from '../../src/core/fold.ts';
import type { TaskId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import type { HearingContext, ValidatorContext } from './context.ts';
import type { HearingEvent } from './hearing-events.ts';
import { foldHearing } from './hearing-machine.ts';

/** Whether a hearing needs nothing more. */
export function hasHearingEnded({ value }: Folded<HearingContext>): boolean {
  return value === 'attested' || value === 'closed' || value === 'failed';
}

/** How many hearings are under way. */
export function openHearingCount({ hearings, heard }: ValidatorContext): number {
  return Object.keys(hearings).length - heard.length;
}

function stepHearing({ hearings }: ValidatorContext, event: Event): FoldStep<HearingContext> {
  return foldHearing.step(hearings[(event as HearingEvent).task] ?? foldHearing.initial, event);
}

/** Whether the hearing's machine takes the event now. */
export function hearingTakes(context: ValidatorContext, event: Event): boolean {
  return stepHearing(context, event).handled;
}

/** The effects the hearing's machine asks for. */
export function hearingEffects(context: ValidatorContext, event: Event): readonly Effect[] {
  return stepHearing(context, event).effects;
}

/** The hearings after an event of one of them; the oldest ended ones are let go of. */
export function hearingsAfter(context: ValidatorContext, event: Event): Pick<ValidatorContext, 'hearings' | 'heard'> {
  const { task } = event as HearingEvent;
  const { state } = stepHearing(context, event);
  const hearings: Record<TaskId, Folded<HearingContext>> = { ...context.hearings, [task]: state };
  if (!hasHearingEnded(state)) return { hearings, heard: context.heard };
  const heard = [...context.heard, task];
  while (heard.length > limits.validatorEndedKept) {
    const oldest = heard.shift();
    if (oldest !== undefined) delete hearings[oldest];
  }
  return { hearings, heard };
}

import type { Event } from '../../src/core/commit.ts';
import type { Effect } from '../../src/core/effect.ts';
import type { Folded, FoldStep } from '../../src/core/fold.ts';
import type { TaskId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import type { ValidationContext, ValidatorContext } from './context.ts';
import type { ValidationEvent } from './events.ts';
import { foldValidation } from './validation-machine.ts';

/** Whether a validation needs nothing more. */
export function hasValidationEnded({ value }: Folded<ValidationContext>): boolean {
  return value === 'attested' || value === 'closed' || value === 'failed';
}

/** How many validations are under way. */
export function openValidationCount(context: ValidatorContext): number {
  return Object.keys(context.validations).length - context.ended.length;
}

function stepValidation(context: ValidatorContext, event: Event): FoldStep<ValidationContext> {
  return foldValidation.step(context.validations[(event as ValidationEvent).task] ?? foldValidation.initial, event);
}

/** Whether the validation's machine takes the event now. */
export function validationTakes(context: ValidatorContext, event: Event): boolean {
  return stepValidation(context, event).handled;
}

/** Whether no validation is under way after the event. */
export function leavesIdle(context: ValidatorContext, event: Event): boolean {
  const known = context.validations[(event as ValidationEvent).task] !== undefined;
  return known && openValidationCount(context) === 1 && hasValidationEnded(stepValidation(context, event).state);
}

/** The effects the validation's machine asks for. */
export function validationEffects(context: ValidatorContext, event: Event): readonly Effect[] {
  return stepValidation(context, event).effects;
}

/** The validations after an event of one of them; the oldest ended ones are let go of. */
export function validationsAfter(
  context: ValidatorContext,
  event: Event,
): Pick<ValidatorContext, 'validations' | 'ended' | 'counts'> {
  const { task } = event as ValidationEvent;
  const { state } = stepValidation(context, event);
  const validations: Record<TaskId, Folded<ValidationContext>> = { ...context.validations, [task]: state };
  const counts = countAfter(context.counts, event as ValidationEvent);
  if (!hasValidationEnded(state)) return { validations, ended: context.ended, counts };
  const ended = [...context.ended, task];
  while (ended.length > limits.validatorEndedKept) {
    const oldest = ended.shift();
    if (oldest !== undefined) delete validations[oldest];
  }
  return { validations, ended, counts };
}

function countAfter(counts: ValidatorContext['counts'], event: ValidationEvent): ValidatorContext['counts'] {
  if (event.type === 'ValidationReceived') return { ...counts, received: counts.received + 1 };
  if (event.type === 'VerdictAttested') return { ...counts, attested: counts.attested + 1 };
  if (event.type === 'ValidationClosed') return { ...counts, closed: counts.closed + 1 };
  if (event.type === 'ValidationFailed') return { ...counts, failed: counts.failed + 1 };
  return counts;
}

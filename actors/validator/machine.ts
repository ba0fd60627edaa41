import { assign, setup } from 'xstate';
import { effectAction, effects } from '../../src/core/effect-action.ts';
import { compileFold } from '../../src/core/fold.ts';
import { emptyValidator, type ValidatorContext } from './context.ts';
import { hearingEventTypes } from './hearing-events.ts';
import { hearingEffects, hearingsAfter, hearingTakes } from './hearings.ts';
import { validationEventTypes, type ValidatorEvent, type ValidatorStarted } from './events.ts';
import {
  leavesIdle,
  openValidationCount,
  validationEffects,
  validationsAfter,
  validationTakes,
} from './validations.ts';

/** Goes up when the fold of a validator, its validations or hearings changes in a way that old snapshots cannot follow. */
export const validatorMachineVersion = 3;

const validatorSetup = setup({
  types: { context: {} as ValidatorContext, events: {} as ValidatorEvent },
  guards: {
    validationTakes: ({ context, event }) => validationTakes(context, event),
    validationTakesAndLeavesIdle: ({ context, event }) => validationTakes(context, event) && leavesIdle(context, event),
    hearingTakes: ({ context, event }) => hearingTakes(context, event),
    hasOpenValidations: ({ context }) => openValidationCount(context) > 0,
  },
  actions: {
    configure: assign(({ event }) => ({ validator: (event as ValidatorStarted).validator })),
    foldValidation: assign(({ context, event }) => validationsAfter(context, event)),
    runValidationEffects: effectAction,
    foldHearing: assign(({ context, event }) => hearingsAfter(context, event)),
    runHearingEffects: effectAction,
  },
});

const step = [
  effects('runValidationEffects', ({ context, event }: { context: ValidatorContext; event: ValidatorEvent }) =>
    validationEffects(context, event),
  ),
  'foldValidation',
] as const;

/** An event of a validation moves it; `whenIdle` is where the validator goes when that was the last under way. */
function validationTransitions<Target extends string>(whenIdle: Target) {
  const transitions = [
    { guard: 'validationTakesAndLeavesIdle', target: whenIdle, actions: step },
    { guard: 'validationTakes', actions: step },
  ] as const;
  return Object.fromEntries(validationEventTypes.map((type) => [type, transitions])) as Record<
    (typeof validationEventTypes)[number],
    typeof transitions
  >;
}

const heard = {
  guard: 'hearingTakes',
  actions: [
    effects('runHearingEffects', ({ context, event }: { context: ValidatorContext; event: ValidatorEvent }) =>
      hearingEffects(context, event),
    ),
    'foldHearing',
  ],
} as const;
const hearings = Object.fromEntries(hearingEventTypes.map((type) => [type, heard])) as Record<
  (typeof hearingEventTypes)[number],
  typeof heard
>;
const { HearingCalled: __, ...hearingsToTheirEnd } = hearings;

const { ValidationReceived: _, ...validationsToTheirEnd } = validationTransitions('drained');
const started = [
  { guard: 'hasOpenValidations', target: 'busy', actions: 'configure' },
  { target: 'idle', actions: 'configure' },
] as const;

/** A validator with its validations and hearings inside. Used as a fold over events. */
export const validatorMachine = validatorSetup.createMachine({
  id: 'validator',
  context: emptyValidator,
  initial: 'offline',
  states: {
    offline: { on: { ValidatorStarted: started } },
    idle: {
      on: {
        ...hearings,
        ValidatorDraining: { target: 'drained' },
        ValidationReceived: { guard: 'validationTakes', target: 'busy', actions: step },
      },
    },
    busy: { on: { ...hearings, ...validationTransitions('idle'), ValidatorDraining: { target: 'draining' } } },
    draining: { on: { ...hearingsToTheirEnd, ...validationsToTheirEnd, ValidatorStarted: started } },
    drained: { on: { ...hearingsToTheirEnd, ValidatorStarted: started } },
  },
});

/** The validator machine as a pure function over events. */
export const foldValidator = compileFold<ValidatorContext>(validatorMachine);

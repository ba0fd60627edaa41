import { assign, setup } from 'xstate';
import { effectAction, effects } from '../../src/core/effect-action.ts';
import { compileFold } from '../../src/core/fold.ts';
import { emptyValidation, type ValidationContext } from './context.ts';
import { afterRequest, afterScores } from './effects.ts';
import type { ResultsScored, ValidationEvent, ValidationFailed, ValidationReceived } from './events.ts';

const validationSetup = setup({
  types: { context: {} as ValidationContext, events: {} as ValidationEvent },
  actions: {
    remember: assign(({ event }) => {
      const { type: _, ...request } = event as ValidationReceived;
      return request;
    }),
    recordReport: assign(({ event }) => ({ report: (event as ResultsScored).report })),
    recordFailure: assign(({ event }) => {
      const { code, reason } = event as ValidationFailed;
      return { failure: { code, reason } };
    }),
    scoreResults: effectAction,
    attest: effectAction,
  },
});

const ends = {
  ValidationClosed: { target: 'closed' },
  ValidationFailed: { target: 'failed', actions: 'recordFailure' },
} as const;

/** A validator's part of one task. */
export const validationMachine = validationSetup.createMachine({
  id: 'validation',
  context: emptyValidation,
  initial: 'new',
  states: {
    new: {
      on: { ValidationReceived: { target: 'scoring', actions: ['remember', effects('scoreResults', afterRequest)] } },
    },
    scoring: {
      on: {
        ...ends,
        ResultsScored: { target: 'attesting', actions: ['recordReport', effects('attest', afterScores)] },
      },
    },
    attesting: { on: { ...ends, VerdictAttested: { target: 'attested' } } },
    attested: {},
    closed: {},
    failed: {},
  },
});

/** The validation machine as a pure function over events. */
export const foldValidation = compileFold<ValidationContext>(validationMachine);

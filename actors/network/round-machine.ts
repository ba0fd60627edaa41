import { assign, setup } from 'xstate';
import { effectAction, effects } from '../../src/core/effect-action.ts';
import { compileFold } from '../../src/core/fold.ts';
import { emptyRound, type RoundContext, type ShownAnswers } from './context.ts';
import {
  afterAnswers,
  afterBound,
  afterCreated,
  afterCrew,
  afterJudgement,
  afterMissedQuestions,
  afterMissedTopic,
  afterPrepared,
  afterQuestions,
  afterRequest,
  afterShown,
  afterStart,
  afterTopic,
} from './effects.ts';
import type { RoundEvent } from './events.ts';

type Of<Type extends RoundEvent['type']> = Extract<RoundEvent, { type: Type }>;
/** The event's type is known where the transition stands; xstate's `setup` cannot see it. */
const as = <Type extends RoundEvent['type']>(event: RoundEvent): Of<Type> => event as Of<Type>;

/** A miner's answers in place of those it had before: a reorg may bring others. */
function withShown(shown: readonly ShownAnswers[], { miner, resultRoot, resultDigest }: Of<'AnswerRevealed'>) {
  return [...shown.filter((one) => one.miner !== miner), { miner, resultRoot, resultDigest }].toSorted((a, b) =>
    a.miner < b.miner ? -1 : 1,
  );
}

const roundSetup = setup({
  types: { context: {} as RoundContext, events: {} as RoundEvent },
  actions: {
    begin: assign(({ event }) => {
      const { round, me, as: role, beaconBlock, drawBy } = as<'RoundRequested'>(event);
      return { ...emptyRound, round, me, as: role, beaconBlock, phaseBy: drawBy };
    }),
    man: assign(({ event }) => {
      const { creator, preparer, createBy } = as<'CrewDrawn'>(event);
      return { creator, preparer, phaseBy: createBy };
    }),
    rememberTopic: assign(({ event }) => {
      const { topicDigest, prepareBy } = as<'RoundCreated'>(event);
      return { topicDigest, phaseBy: prepareBy };
    }),
    rememberQuestions: assign(({ event }) => {
      const { questionsDigest, beaconBlock, drawBy } = as<'RoundPrepared'>(event);
      return { questionsDigest, beaconBlock, phaseBy: drawBy };
    }),
    seat: assign(({ event }) => {
      const { miners, validators, precommitBy } = as<'RoundStarted'>(event);
      const fresh = { isBound: false, shown: [], answers: null, judgement: null };
      return { miners, validators, phaseBy: precommitBy, ...fresh };
    }),
    bind: assign(() => ({ isBound: true })),
    startReveal: assign(({ event }) => ({ phaseBy: as<'AnswersPrecommitted'>(event).revealBy })),
    rememberShown: assign(({ context, event }) => ({ shown: withShown(context.shown, as<'AnswerRevealed'>(event)) })),
    startJudging: assign(({ event }) => ({ phaseBy: as<'AnswersRevealed'>(event).validateBy })),
    replaceCreator: assign(({ context, event }) => {
      const { node, replacement, phaseBy } = as<'NodeMissed'>(event);
      return { creator: replacement, phaseBy, hasMissed: context.hasMissed || node === context.me };
    }),
    replacePreparer: assign(({ context, event }) => {
      const { node, replacement, phaseBy } = as<'NodeMissed'>(event);
      return { preparer: replacement, phaseBy, hasMissed: context.hasMissed || node === context.me };
    }),
    miss: assign(() => ({ hasMissed: true })),
    rememberAnswers: assign(({ event }) => {
      const { resultRoot, result } = as<'AnswersMade'>(event);
      return { answers: { resultRoot, result } };
    }),
    rememberJudgement: assign(({ event }) => {
      const { honest, dataset } = as<'RoundJudged'>(event);
      return { judgement: { honest, dataset } };
    }),
    recordFailure: assign(({ event }) => {
      const { step, code, reason } = as<'StepFailed'>(event);
      return { failure: { step, code, reason } };
    }),
    rememberDataset: assign(({ event }) => ({ datasetDigest: as<'RoundEnded'>(event).datasetDigest })),
    credit: assign(({ event }) => ({ credits: as<'IdleWorkCredited'>(event).credits })),
    driveDraw: effectAction,
    makeTopic: effectAction,
    create: effectAction,
    makeQuestions: effectAction,
    prepare: effectAction,
    driveStart: effectAction,
    makeAnswers: effectAction,
    precommit: effectAction,
    reveal: effectAction,
    judge: effectAction,
    end: effectAction,
  },
});

/** What the chain says moves a round wherever it was before: after a reorg it may be told what it is already past. */
const told = {
  RoundRequested: { target: 'requested', actions: ['begin', effects('driveDraw', afterRequest)] },
  CrewDrawn: { target: 'creating', actions: ['man', effects('makeTopic', afterCrew)] },
  RoundCreated: { target: 'preparing', actions: ['rememberTopic', effects('makeQuestions', afterCreated)] },
  RoundPrepared: { target: 'prepared', actions: ['rememberQuestions', effects('driveStart', afterPrepared)] },
  RoundStarted: { target: 'answering', actions: ['seat', effects('makeAnswers', afterStart)] },
  AnswerPrecommitted: { actions: 'bind' },
  AnswersPrecommitted: { target: 'revealing', actions: ['startReveal', effects('reveal', afterBound)] },
  AnswerRevealed: { actions: 'rememberShown' },
  AnswersRevealed: { target: 'validating', actions: ['startJudging', effects('judge', afterShown)] },
  NodeMissed: { actions: 'miss' },
  RoundEnded: { target: 'ended', actions: 'rememberDataset' },
  RoundFailed: { target: 'failed' },
  IdleWorkCredited: { actions: 'credit' },
  StepFailed: { actions: 'recordFailure' },
} as const;

/** One round of idle work, as one node sees it. */
export const roundMachine = roundSetup.createMachine({
  id: 'round',
  context: emptyRound,
  initial: 'new',
  states: {
    new: { on: { RoundRequested: told.RoundRequested } },
    requested: { on: told },
    creating: {
      on: {
        ...told,
        NodeMissed: { actions: ['replaceCreator', effects('makeTopic', afterMissedTopic)] },
        TopicMade: { actions: effects('create', afterTopic) },
      },
    },
    preparing: {
      on: {
        ...told,
        NodeMissed: { actions: ['replacePreparer', effects('makeQuestions', afterMissedQuestions)] },
        QuestionsMade: { actions: effects('prepare', afterQuestions) },
      },
    },
    prepared: { on: told },
    answering: {
      on: { ...told, AnswersMade: { actions: ['rememberAnswers', effects('precommit', afterAnswers)] } },
    },
    revealing: { on: told },
    validating: { on: { ...told, RoundJudged: { actions: ['rememberJudgement', effects('end', afterJudgement)] } } },
    ended: { on: told },
    failed: { on: told },
  },
});

/** The round machine as a pure function over events. */
export const foldRound = compileFold<RoundContext>(roundMachine);

import { contentCid } from '../../../src/core/cid.ts';
import { taskId } from '../../../src/core/ids.ts';
import type { ValidationEvent, ValidatorEvent } from '../../../actors/validator/events.ts';
import type { HearingEvent } from '../../../actors/validator/hearing-events.ts';
import type { VerdictReport } from '../../../actors/validator/verdict.ts';
import { alice, bob, bytes32, genesisAt, prompt, seen, session, task, vera } from '../chain-facts.ts';
import { result } from './task.ts';

const verdict: VerdictReport = {
  kind: 'report',
  v: 1,
  task,
  validator: vera,
  level: 1,
  similarityBps: 8_000,
  winner: alice,
  honest: [alice, bob],
  outliers: [],
  inconclusive: false,
  scores: [],
  promptTokens: 6,
  outputTokens: 10,
};

export const validationReceived = {
  type: 'ValidationReceived',
  task,
  session,
  validator: vera,
  prompt,
  similarityBps: 8_000,
  level: 1,
  attestBy: genesisAt + 20_000,
  results: [
    { miner: alice, attempt: 0, resultRoot: bytes32(8), result },
    { miner: bob, attempt: 0, resultRoot: bytes32(9), result },
  ],
} as const satisfies ValidationEvent;

/** A bounded set of events that leads a validation through every state and transition it has. */
export const validationEvents: readonly ValidationEvent[] = [
  validationReceived,
  {
    type: 'ResultsScored',
    task,
    results: [],
    similarities: [],
    promptTokens: 6,
    report: verdict,
    reportCid: contentCid(verdict),
  },
  { type: 'VerdictAttested', task, seen: seen(10) },
  { type: 'ValidationClosed', task, reason: 'TaskRefunded', seen: seen(11) },
  { type: 'ValidationFailed', task, code: 'content_not_found', reason: 'gone' },
];

/** A bounded set of events that leads a hearing through every state and transition it has. */
export const hearingEvents: readonly HearingEvent[] = [
  { type: 'HearingCalled', task, session, seen: seen(12) },
  {
    type: 'HearingJudged',
    task,
    prompt,
    shown: validationReceived.results,
    results: [],
    similarities: [],
    promptTokens: 6,
    report: verdict,
    reportCid: contentCid(verdict),
  },
  { type: 'HearingAttested', task, seen: seen(13) },
  { type: 'HearingClosed', task, reason: 'AppealDecided', seen: seen(14) },
  { type: 'HearingFailed', task, code: 'no_valid_result', reason: 'none' },
];

const otherTask = taskId(session, bytes32(2));

/** The same for a validator with two validations. */
export const validatorEvents: readonly ValidatorEvent[] = [
  { type: 'ValidatorStarted', validator: vera },
  { type: 'ValidatorDraining' },
  ...validationEvents,
  { ...validationReceived, task: otherTask },
  { type: 'ValidationFailed', task: otherTask, code: 'content_not_found', reason: 'gone' },
];

/** The same for a validator that is drawn for an appeal, serves, drains and comes back meanwhile. */
export const hearingValidatorEvents: readonly ValidatorEvent[] = [
  { type: 'ValidatorStarted', validator: vera },
  { type: 'ValidatorDraining' },
  validationReceived,
  { type: 'ValidationFailed', task, code: 'content_not_found', reason: 'gone' },
  ...hearingEvents,
];

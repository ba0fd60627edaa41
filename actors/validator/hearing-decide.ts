import type { ChainFact } from '../../src/core/chain-fact.ts';
import { contentCid } from '../../src/core/cid.ts';
import { accept, type Decision, reject, unchanged } from '../../src/core/decision.ts';
import type { Folded } from '../../src/core/fold.ts';
import type { Cid, TaskId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import { seenAt } from '../task/events.ts';
import type { ScoredResult } from './checks/check.ts';
import type { RevealedResult, ValidatorContext } from './context.ts';
import type { HearingEvent } from './hearing-events.ts';
import { hasHearingEnded, openHearingCount } from './hearings.ts';
import { isSquare } from './is-square.ts';
import { reachVerdict, type VerdictReport } from './verdict.ts';

/** What the validator read of an appealed task and computed: one entry per result that was shown. */
export type JudgeHearingCommand = {
  readonly type: 'JudgeHearing';
  readonly task: TaskId;
  readonly prompt: Cid;
  readonly similarityBps: number;
  readonly level: number;
  readonly shown: readonly RevealedResult[];
  readonly results: readonly ScoredResult[];
  readonly similarities: readonly (readonly number[])[];
  readonly promptTokens: number | null;
};

type State = Folded<ValidatorContext>;
type TaskFact = Extract<ChainFact, { readonly task: TaskId }>;

/** The verdict of a hearing; what comes a second time changes nothing. */
export function judgeHearing({ context }: State, command: JudgeHearingCommand): Decision<HearingEvent> {
  const { task, prompt, shown, results, similarities, promptTokens, similarityBps, level } = command;
  const hearing = context.hearings[task];
  if (hearing === undefined || context.validator === null)
    return reject('hearing_not_found', `The validator was not drawn for an appeal of task ${task}.`, {
      class: 'not-found',
    });
  if (hearing.value !== 'judging') return unchanged;
  if (!isSquare(shown, results, similarities))
    return reject('invalid_scores', `The scores are not one row and column for each result of task ${task}.`);
  const verdict = reachVerdict({ level, similarityBps, results, similarities, promptTokens });
  const of = { task, validator: context.validator, level, similarityBps };
  const report: VerdictReport = { kind: 'report', v: 1, ...of, ...verdict };
  const found = { prompt, shown, results, similarities, promptTokens };
  const judged: HearingEvent = { type: 'HearingJudged', task, ...found, report, reportCid: contentCid(report) };
  if (report.winner !== null) return accept(judged);
  const reason = 'No result passed the checks.';
  return accept<HearingEvent>(judged, { type: 'HearingFailed', task, code: 'no_valid_result', reason });
}

/** The states in which a hearing still needs the outcome of an effect. */
const waitsFor: { readonly [effect: string]: string } = { judgeHearing: 'judging', attestOnAppeal: 'attesting' };

/** An effect of a hearing was refused for good. */
export function hearingEffectFailed(
  { context }: State,
  failed: { readonly effect: string; readonly task: TaskId; readonly code: string; readonly reason: string },
): Decision<HearingEvent> {
  const { effect, task, code, reason } = failed;
  const hearing = context.hearings[task];
  if (hearing === undefined || waitsFor[effect] !== hearing.value) return unchanged;
  return accept({ type: 'HearingFailed', task, code, reason });
}

/** Whether an effect is one of a hearing. */
export function isOfHearing(effect: string): boolean {
  return effect in waitsFor;
}

/** What a fact means for the appeals that the validator is drawn for, and for those it is not. */
export function seeHearingFact({ value, context }: State, fact: TaskFact): Decision<HearingEvent> {
  const { task } = fact;
  const seen = seenAt(fact.place);
  const hearing = context.hearings[task];
  if (fact.type === 'AppealDrawn' && context.validator !== null) {
    const isDrawn = fact.validators.includes(context.validator);
    if (hearing === undefined) {
      const isServing = value === 'idle' || value === 'busy';
      // Beyond its bound it leaves an appeal to the others that are drawn: more than half of them are enough.
      if (!isDrawn || !isServing || openHearingCount(context) >= limits.validatorOpenMax) return unchanged;
      return accept<HearingEvent>({ type: 'HearingCalled', session: fact.session, task, seen });
    }
    if (isDrawn || hasHearingEnded(hearing)) return unchanged;
    return accept<HearingEvent>({ type: 'HearingClosed', task, reason: fact.type, seen });
  }
  if (hearing === undefined || hasHearingEnded(hearing)) return unchanged;
  switch (fact.type) {
    case 'AppealAttested':
      if (fact.validator !== context.validator || hearing.value !== 'attesting') return unchanged;
      return accept<HearingEvent>({ type: 'HearingAttested', task, seen });
    case 'AppealDecided':
    case 'AppealUndecided':
    case 'TaskSettled':
      return accept<HearingEvent>({ type: 'HearingClosed', task, reason: fact.type, seen });
    default:
      return unchanged;
  }
}

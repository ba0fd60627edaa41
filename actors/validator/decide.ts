import type { ChainFact } from '../../src/core/chain-fact.ts';
import { contentCid } from '../../src/core/cid.ts';
import { accept, type Decision, type Env, reject, unchanged } from '../../src/core/decision.ts';
import type { Folded } from '../../src/core/fold.ts';
import type { Address, Cid, SessionId, TaskId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import { seenAt } from '../task/events.ts';
import type { ScoredResult } from './checks/check.ts';
import type { RevealedResult, SigningBatch, ValidationContext, ValidatorContext } from './context.ts';
import type { ValidatorEvent } from './events.ts';
import {
  hearingEffectFailed,
  isOfHearing,
  judgeHearing,
  type JudgeHearingCommand,
  seeHearingFact,
} from './hearing-decide.ts';
import { isSquare } from './is-square.ts';
import { hasValidationEnded, openValidationCount } from './validations.ts';
import { reachVerdict, type VerdictReport } from './verdict.ts';

/** The node is up. Ends a drain. */
export type StartValidator = { readonly type: 'StartValidator'; readonly validator: Address };
/** Take no new validations, end those under way. */
export type DrainValidator = { readonly type: 'DrainValidator' };

/** A router asks for the revealed results of a task to be compared. */
export type ReceiveValidation = {
  readonly type: 'ReceiveValidation';
  readonly session: SessionId;
  readonly task: TaskId;
  readonly prompt: Cid;
  readonly similarityBps: number;
  readonly level: number;
  readonly attestBy: number;
  readonly results: readonly RevealedResult[];
  /** The router that asks. */
  readonly router: Address;
  /** For a task of a batch: the verdict is signed for its router. */
  readonly batch?: SigningBatch;
};

/** What the validator read and computed: one entry per result of the request, in its order. */
export type Score = {
  readonly type: 'Score';
  readonly task: TaskId;
  readonly results: readonly ScoredResult[];
  /** Cosine similarities, symmetric, one row per result; rows of missing content hold zeros. */
  readonly similarities: readonly (readonly number[])[];
  /** Tokens of the prompt as the validator counts them; null where it does not have the model. */
  readonly promptTokens: number | null;
};

/** An effect was refused for good. */
export type ValidatorEffectFailed = {
  readonly type: 'EffectFailed';
  readonly effect: string;
  readonly task: TaskId;
  readonly code: string;
  readonly reason: string;
};
/** The chain said something. */
export type SeeValidatorFact = { readonly type: 'SeeFact'; readonly fact: ChainFact };

/** The router of a batched session has taken the signed verdict. */
export type SeeVerdictTaken = { readonly type: 'SeeTaken'; readonly task: TaskId };

/** Every command to a validator. */
export type ValidatorCommand =
  | StartValidator
  | DrainValidator
  | ReceiveValidation
  | Score
  | ValidatorEffectFailed
  | SeeValidatorFact
  | SeeVerdictTaken
  | JudgeHearingCommand;

type State = Folded<ValidatorContext>;

/** What a command to a validator leads to. */
export function decideValidator(state: State, command: ValidatorCommand, _env: Env): Decision<ValidatorEvent> {
  const { value } = state;
  switch (command.type) {
    case 'StartValidator':
      return start(state, command);
    case 'DrainValidator':
      return value === 'idle' || value === 'busy' ? accept<ValidatorEvent>({ type: 'ValidatorDraining' }) : unchanged;
    case 'ReceiveValidation':
      return receiveValidation(state, command);
    case 'Score':
      return score(state, command);
    case 'EffectFailed':
      return isOfHearing(command.effect) ? hearingEffectFailed(state, command) : effectFailed(state, command);
    case 'SeeFact':
      return seeFact(state, command.fact);
    case 'SeeTaken':
      return seeTaken(state, command);
    case 'JudgeHearing':
      return judgeHearing(state, command);
  }
}

function start({ value, context }: State, { validator }: StartValidator): Decision<ValidatorEvent> {
  if (context.validator !== null && context.validator !== validator) {
    return reject('wrong_stream', `This is the stream of ${context.validator}, not of ${validator}.`);
  }
  return value === 'idle' || value === 'busy'
    ? unchanged
    : accept<ValidatorEvent>({ type: 'ValidatorStarted', validator });
}

function receiveValidation({ value, context }: State, command: ReceiveValidation): Decision<ValidatorEvent> {
  const { session, task, prompt, similarityBps, level, attestBy, results, router, batch } = command;
  if (context.validations[task] !== undefined) return unchanged;
  if ((value !== 'idle' && value !== 'busy') || context.validator === null) {
    return reject('validator_not_serving', `The validator is ${value} and takes no validations.`, {
      class: 'unavailable',
    });
  }
  const miners = new Set(results.map(({ miner }) => miner));
  if (results.length === 0 || results.length > limits.redundancyMax || miners.size !== results.length) {
    return reject('invalid_results', `A task has 1 to ${limits.redundancyMax} results, each of another miner.`);
  }
  if (openValidationCount(context) >= limits.validatorOpenMax) {
    return reject('validator_busy', `The validator has ${limits.validatorOpenMax} validations under way, its bound.`, {
      class: 'busy',
    });
  }
  const { validator } = context;
  return accept({
    type: 'ValidationReceived',
    session,
    task,
    validator,
    prompt,
    similarityBps,
    level,
    attestBy,
    results,
    router,
    ...(batch === undefined ? {} : { batch }),
  });
}

function score({ context }: State, command: Score): Decision<ValidatorEvent> {
  const { task, results, similarities, promptTokens } = command;
  const validation = context.validations[task];
  if (validation === undefined) {
    return reject('validation_not_found', `The validator has no validation of task ${task}.`, { class: 'not-found' });
  }
  if (validation.value !== 'scoring') return unchanged;
  const asked = validation.context.results;
  if (!isSquare(asked, results, similarities))
    return reject('invalid_scores', `The scores are not one row and column for each result of task ${task}.`);
  const report = reportOf(validation.context, command);
  const scored: ValidatorEvent = {
    type: 'ResultsScored',
    task,
    results,
    similarities,
    promptTokens,
    report,
    reportCid: contentCid(report),
  };
  if (report.winner !== null) return accept(scored);
  return accept<ValidatorEvent>(scored, {
    type: 'ValidationFailed',
    task,
    code: 'no_valid_result',
    reason: 'No result passed the checks.',
  });
}

function reportOf({ task, validator, level, similarityBps }: ValidationContext, scores: Score): VerdictReport {
  const { results, similarities, promptTokens } = scores;
  const verdict = reachVerdict({ level, similarityBps, results, similarities, promptTokens });
  return { kind: 'report', v: 1, task, validator, level, similarityBps, ...verdict };
}

/** The states in which a validation still needs the outcome of an effect. */
const waitsFor: { readonly [effect: string]: string } = { scoreResults: 'scoring', attestOnChain: 'attesting' };

function effectFailed(
  { context }: State,
  { effect, task, code, reason }: ValidatorEffectFailed,
): Decision<ValidatorEvent> {
  const validation = context.validations[task];
  if (validation === undefined || waitsFor[effect] !== validation.value) return unchanged;
  return accept({ type: 'ValidationFailed', task, code, reason });
}

function seeTaken({ context }: State, { task }: SeeVerdictTaken): Decision<ValidatorEvent> {
  const validation = context.validations[task];
  if (validation?.value !== 'attesting' || validation.context.batch === undefined) return unchanged;
  return accept<ValidatorEvent>({ type: 'VerdictAttested', task, seen: null });
}

/** A validator of a task is never drawn for its appeal, but routers may ask for what they want: a fact may be about both. */
function seeFact(state: State, fact: ChainFact): Decision<ValidatorEvent> {
  if (!('task' in fact)) return unchanged;
  const found: readonly Decision<ValidatorEvent>[] = [seeHearingFact(state, fact), seeValidationFact(state, fact)];
  return accept(...found.flatMap((decision) => (decision.ok ? decision.events : [])));
}

function seeValidationFact(
  { context }: State,
  fact: Extract<ChainFact, { readonly task: TaskId }>,
): Decision<ValidatorEvent> {
  const { task } = fact;
  const validation = context.validations[task];
  if (validation === undefined || hasValidationEnded(validation)) return unchanged;
  const seen = seenAt(fact.place);
  switch (fact.type) {
    case 'ResultAttested':
      if (fact.validator !== context.validator || validation.value !== 'attesting') return unchanged;
      return accept<ValidatorEvent>({ type: 'VerdictAttested', task, seen });
    case 'ResultValidated':
    case 'TaskSettled':
    case 'TaskRefunded':
      return accept<ValidatorEvent>({ type: 'ValidationClosed', task, reason: fact.type, seen });
    default:
      return unchanged;
  }
}

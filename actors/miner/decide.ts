import type { ChainFact } from '../../src/core/chain-fact.ts';
import { accept, type Decision, type Env, reject, unchanged } from '../../src/core/decision.ts';
import type { Folded } from '../../src/core/fold.ts';
import type { TaskId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import { addWei } from '../../src/core/wei.ts';
import { seenAt } from '../task/events.ts';
import { seeBound, seeTaken } from './batched.ts';
import type {
  CancelJob,
  FailJob,
  LetGoJob,
  MinerCommand,
  MinerEffectFailed,
  ProduceOutput,
  ReceiveJob,
  StartMiner,
} from './commands.ts';
import { type JobContext, jobKey, type MinerContext } from './context.ts';
import { disputeEffectFailed, disputeEvents, isOfDispute, judgeDispute } from './disputes.ts';
import type { JobCancelled, MinerEvent } from './events.ts';
import { openJobCount, openJobsOf } from './jobs.ts';

type State = Folded<MinerContext>;
type Job = Folded<JobContext>;

/** What a command to a miner leads to. Facts and results that were seen before, or overtaken, change nothing. */
export function decideMiner(state: State, command: MinerCommand, env: Env): Decision<MinerEvent> {
  switch (command.type) {
    case 'StartMiner':
      return start(state, command);
    case 'DrainMiner':
      return state.value === 'idle' || state.value === 'busy'
        ? accept<MinerEvent>({ type: 'MinerDraining' })
        : unchanged;
    case 'ReceiveJob':
      return receiveJob(state, command);
    case 'ProduceOutput':
      return produceOutput(state, command, env);
    case 'FailJob':
      return failJob(state, command);
    case 'CancelJob':
      return cancelJob(state, command);
    case 'LetGoJob':
      return letGoJob(state, command);
    case 'EffectFailed':
      return isOfDispute(command.effect) ? disputeEffectFailed(state, command) : effectFailed(state, command);
    case 'SeeFact':
      return seeFact(state, command.fact);
    case 'SeeTaken':
      return seeTaken(state, command);
    case 'SeeBound':
      return seeBound(state, command);
    case 'JudgeDispute':
      return judgeDispute(state, command);
  }
}

function start({ value, context }: State, { miner, models, capacity, appeals }: StartMiner): Decision<MinerEvent> {
  if (context.miner !== null && context.miner !== miner)
    return reject('wrong_stream', `This is the stream of ${context.miner}, not of ${miner}.`);
  if (models.length > limits.nodeModelsMax)
    return reject('too_many_models', `A miner serves at most ${limits.nodeModelsMax} models.`);
  if (!Number.isInteger(capacity) || capacity < 1 || capacity > limits.minerJobsMax) {
    return reject('invalid_capacity', `A miner's capacity is 1 to ${limits.minerJobsMax} jobs.`);
  }
  const serving = value === 'idle' || value === 'busy';
  const same =
    context.capacity === capacity &&
    context.appeals === (appeals === true) &&
    context.models.length === models.length &&
    models.every((model, index) => model === context.models[index]);
  const how = appeals === true ? ({ appeals } as const) : {};
  return serving && same ? unchanged : accept({ type: 'MinerStarted', miner, models, capacity, ...how });
}

function receiveJob(state: State, command: ReceiveJob): Decision<MinerEvent> {
  const { value, context } = state;
  if (context.jobs[jobKey(command)] !== undefined) return unchanged;
  const refusal = refuse(state, command);
  if (refusal !== undefined || context.miner === null) return refusal ?? notServing(value);
  const { session, task, attempt, step, model, prompt, maxTokens, prefix = [], router, replyTo, batched } = command;
  const received: MinerEvent = {
    type: 'JobReceived',
    session,
    task,
    attempt,
    step,
    miner: context.miner,
    model,
    prompt,
    maxTokens,
    prefix,
    router,
    replyTo,
    ...(batched === undefined ? {} : { batched }),
  };
  // Nobody waits for an acknowledgement on chain: that the job was taken is one.
  return batched === undefined
    ? accept(received)
    : accept<MinerEvent>(received, { type: 'JobAcked', task, attempt, precommitBy: 0, seen: null });
}

function notServing(value: string): Decision<never> {
  return reject('miner_not_serving', `The miner is ${value} and takes no jobs.`, {
    class: 'unavailable',
    hint: 'Choose another miner.',
  });
}

function refuse({ value, context }: State, { model, maxTokens, prefix }: ReceiveJob): Decision<never> | undefined {
  if (value !== 'idle' && value !== 'busy') return notServing(value);
  if (!context.models.includes(model)) {
    return reject('model_not_served', `The miner does not serve ${model}.`, {
      class: 'not-found',
      hint: 'Choose a miner that does.',
    });
  }
  if (!Number.isInteger(maxTokens) || maxTokens < 1 || maxTokens > limits.outputTokensMax) {
    return reject('invalid_max_tokens', `maxTokens must be 1 to ${limits.outputTokensMax}.`);
  }
  if (prefix !== undefined && prefix.length > maxTokens) {
    return reject(
      'invalid_prefix',
      `A prefix of ${prefix.length} tokens is longer than the ${maxTokens} of the answer.`,
    );
  }
  if (openJobCount(context) >= context.capacity) {
    return reject('miner_busy', `The miner has ${context.capacity} jobs, its capacity.`, {
      class: 'busy',
      hint: 'Try again later or choose another miner.',
    });
  }
  return undefined;
}

function unknownJob({ task, attempt }: { task: TaskId; attempt: number }): Decision<never> {
  return reject('job_not_found', `The miner has no job for attempt ${attempt} of task ${task}.`, {
    class: 'not-found',
  });
}

function produceOutput({ context }: State, command: ProduceOutput, env: Env): Decision<MinerEvent> {
  const job = context.jobs[jobKey(command)];
  if (job === undefined) return unknownJob(command);
  if (!isGenerating(job)) return unchanged;
  const { task, attempt, resultRoot, result, tokens, finishReason } = command;
  return accept({ type: 'OutputProduced', task, attempt, resultRoot, result, tokens, finishReason, salt: env.random });
}

function isGenerating(job: Job): boolean {
  return job.value === 'received' || job.value === 'running';
}

function failJob({ context }: State, command: FailJob): Decision<MinerEvent> {
  const job = context.jobs[jobKey(command)];
  if (job === undefined) return unknownJob(command);
  const { task, attempt, code, reason } = command;
  return isGenerating(job) ? accept<MinerEvent>({ type: 'JobFailed', task, attempt, code, reason }) : unchanged;
}

function cancelJob({ context }: State, command: CancelJob): Decision<MinerEvent> {
  const job = context.jobs[jobKey(command)];
  if (job === undefined) return unknownJob(command);
  const mayStop = isGenerating(job) || job.value === 'produced' || (isUnderWay(job) && job.context.batched === true);
  return mayStop ? accept<MinerEvent>(cancelled(job, 'cancelled_by_router', command.reason, null)) : unchanged;
}

function letGoJob({ context }: State, command: LetGoJob): Decision<MinerEvent> {
  const job = context.jobs[jobKey(command)];
  if (job === undefined) return unknownJob(command);
  if (!isGenerating(job) && job.value !== 'produced') return unchanged;
  const reason = 'The miner stops and would not end it in time.';
  return accept<MinerEvent>(cancelled(job, 'miner_stops', reason, null));
}

function cancelled({ context }: Job, code: string, reason: string, seen: JobCancelled['seen']): JobCancelled {
  return { type: 'JobCancelled', task: context.task, attempt: context.attempt, code, reason, seen };
}

function isUnderWay(job: Job): boolean {
  return !['new', 'done', 'cancelled', 'failed'].includes(job.value);
}

/** The states in which a job still needs the outcome of an effect. */
const waitsFor: { readonly [effect: string]: readonly string[] } = {
  ackOnChain: ['received', 'produced'],
  infer: ['received', 'running'],
  precommitOnChain: ['precommitting'],
  revealOnChain: ['revealing'],
};

function effectFailed({ context }: State, command: MinerEffectFailed): Decision<MinerEvent> {
  const job = context.jobs[jobKey(command)];
  if (job === undefined || waitsFor[command.effect]?.includes(job.value) !== true) return unchanged;
  const { task, attempt, code, reason } = command;
  return accept({ type: 'JobFailed', task, attempt, code, reason });
}

function seeFact({ context }: State, fact: ChainFact): Decision<MinerEvent> {
  if (!('task' in fact)) return unchanged;
  return accept(...openJobsOf(context, fact.task).flatMap((job) => jobEvents(context, job, fact)));
}

function jobEvents(context: MinerContext, job: Job, fact: Extract<ChainFact, { task: TaskId }>): MinerEvent[] {
  const { miner } = context;
  const { task, attempt } = job.context;
  const seen = seenAt(fact.place);
  const isOwn = 'miner' in fact && fact.miner === miner;
  const isIn = (...states: readonly string[]): boolean => states.includes(job.value);
  switch (fact.type) {
    case 'TaskAcked':
      return isOwn && isIn('received', 'produced')
        ? [{ type: 'JobAcked', task, attempt, precommitBy: fact.precommitBy, seen }]
        : [];
    case 'TaskPrecommitted':
      return isOwn && isIn('precommitting') ? [{ type: 'JobPrecommitted', task, attempt, seen }] : [];
    case 'AllPrecommitted':
      return isIn('precommitting', 'precommitted')
        ? [{ type: 'RevealOpened', task, attempt, revealBy: fact.revealBy, seen }]
        : [];
    case 'TaskRevealed':
      return isOwn && isIn('revealing') ? [{ type: 'JobRevealed', task, attempt, seen }] : [];
    case 'MinerReassigned':
      return isOwn ? [cancelled(job, 'reassigned', 'The miner missed a deadline and its place was taken.', seen)] : [];
    case 'ResultValidated':
    case 'OutcomeAppealed':
      return disputeEvents(context, job, fact);
    case 'TaskSettled': {
      if (!isIn('revealed')) return [cancelled(job, 'task_settled', 'The task was settled without this result.', seen)];
      const own = fact.payments.filter((payment) => payment.to === miner && payment.role === 'miner');
      return [{ type: 'JobDone', task, attempt, earnedWei: addWei(...own.map((payment) => payment.amountWei)), seen }];
    }
    case 'TaskRefunded':
      return [cancelled(job, 'task_refunded', `The task was ended on chain: ${fact.reason}.`, seen)];
    default:
      return [];
  }
}

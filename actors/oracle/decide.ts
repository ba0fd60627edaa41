import type { ChainFact } from '../../src/core/chain-fact.ts';
import { accept, type Decision, type Env, reject, unchanged } from '../../src/core/decision.ts';
import type { Folded } from '../../src/core/fold.ts';
import type { Address, TaskId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import type { OracleContext, WatchContext } from './context.ts';
import { type Deadline, deadlinesOf, isPastOnChain, mayActFrom, nextLookAt, replacementFor } from './deadlines.ts';
import type { OracleEvent } from './events.ts';
import { seeFact } from './facts.ts';

/** The node is up. `sliceMs` is how long one oracle leads. */
export type StartOracle = { readonly type: 'StartOracle'; readonly oracle: Address; readonly sliceMs: number };
/** The chain said something. */
export type SeeOracleFact = { readonly type: 'SeeFact'; readonly fact: ChainFact };
/** The chain said who works on a task; `ranking` is the order of the selection its digest names. */
export type SeeAssignment = {
  readonly type: 'SeeAssignment';
  readonly fact: Extract<ChainFact, { type: 'MinersAssigned' }>;
  readonly ranking: readonly Address[];
};
/** A deadline is due by the clock. `timer` is `<task>/<deadline>`. */
export type FireTimer = { readonly type: 'FireTimer'; readonly timer: string };
/** The time a block would have now, in answer to `checkBlockTime`. */
export type CheckDeadline = {
  readonly type: 'CheckDeadline';
  readonly task: TaskId;
  readonly deadline: string;
  readonly blockAt: number;
};
/** An effect was refused for good. */
export type OracleEffectFailed = {
  readonly type: 'EffectFailed';
  readonly effect: string;
  readonly task: TaskId;
  readonly deadline: string;
  readonly code: string;
  readonly reason: string;
};

/** Every command to an oracle. */
export type OracleCommand =
  | StartOracle
  | SeeOracleFact
  | SeeAssignment
  | FireTimer
  | CheckDeadline
  | OracleEffectFailed;

type State = Folded<OracleContext>;

/** What a command to an oracle leads to. It acts only where clock and chain agree that a deadline has passed. */
export function decideOracle(state: State, command: OracleCommand, env: Env): Decision<OracleEvent> {
  if (command.type === 'StartOracle') return start(state, command);
  if (state.value === 'offline')
    return reject('oracle_not_started', 'The oracle is not started.', { class: 'unavailable' });
  switch (command.type) {
    case 'SeeFact':
      return seeFact(state.context, command.fact, []);
    case 'SeeAssignment':
      return seeAssignment(state.context, command);
    case 'FireTimer':
      return fireTimer(state, command, env);
    case 'CheckDeadline':
      return checkDeadline(state, command, env);
    case 'EffectFailed':
      return effectFailed(state, command, env);
  }
}

function start({ value, context }: State, { oracle, sliceMs }: StartOracle): Decision<OracleEvent> {
  if (context.oracle !== null && context.oracle !== oracle) {
    return reject('wrong_stream', `This is the stream of ${context.oracle}, not of ${oracle}.`);
  }
  if (!Number.isInteger(sliceMs) || sliceMs < 1)
    return reject('invalid_slice', 'A slice is a whole number of milliseconds, at least 1.');
  if (value !== 'offline' && context.sliceMs === sliceMs) return unchanged;
  return accept({ type: 'OracleStarted', oracle, sliceMs });
}

function seeAssignment(context: OracleContext, { fact, ranking }: SeeAssignment): Decision<OracleEvent> {
  const watch = context.watches[fact.task];
  const knownWithout = watch?.value === 'working' && watch.context.ranking.length === 0;
  if (!knownWithout) return seeFact(context, fact, ranking);
  return ranking.length === 0 ? unchanged : accept<OracleEvent>({ type: 'RankingLearned', task: fact.task, ranking });
}

/** A deadline that still stands, and the watch it is of. */
function find({ context }: State, task: TaskId, name: string): { watch: WatchContext; deadline: Deadline } | undefined {
  const watch = context.watches[task];
  const deadline = watch === undefined ? undefined : deadlinesOf(watch).find((one) => one.name === name);
  return watch === undefined || deadline === undefined ? undefined : { watch: watch.context, deadline };
}

function fireTimer(state: State, { timer }: FireTimer, env: Env): Decision<OracleEvent> {
  const slash = timer.indexOf('/');
  const task = timer.slice(0, slash) as TaskId;
  const found = find(state, task, timer.slice(slash + 1));
  if (found === undefined) return unchanged;
  const { watch, deadline } = found;
  const lookAt = nextLookAt(state.context, watch, deadline);
  if (lookAt === undefined || lookAt > env.now) return unchanged;
  return accept({ type: 'DeadlineReached', task, deadline: deadline.name, at: deadline.at });
}

function checkDeadline(
  state: State,
  { task, deadline: name, blockAt }: CheckDeadline,
  env: Env,
): Decision<OracleEvent> {
  const found = find(state, task, name);
  if (found === undefined || found.watch.enforcements[name]?.stage !== 'checking') return unchanged;
  const { watch, deadline } = found;
  const from = mayActFrom(state.context, deadline.at);
  if (from === undefined || env.now < from || !isPastOnChain(deadline, blockAt)) {
    const behindMs = Math.max(deadline.at - blockAt, (from ?? env.now) - env.now);
    return accept({ type: 'DeadlineDeferred', task, deadline: name, retryAt: env.now + bounded(behindMs) });
  }
  const replaces = deadline.action === 'reassign' && state.context.watches[task]?.value === 'working';
  const replacement = replaces ? replacementFor(watch) : null;
  return accept({
    type: 'DeadlineEnforced',
    task,
    deadline: name,
    action: deadline.action,
    miner: deadline.miner,
    replacement,
  });
}

function bounded(waitMs: number): number {
  return Math.min(Math.max(waitMs, limits.oracleRetryMsMin), limits.oracleRetryMsMax);
}

function effectFailed(state: State, command: OracleEffectFailed, env: Env): Decision<OracleEvent> {
  const { task, deadline, code, reason } = command;
  const enforcement = find(state, task, deadline)?.watch.enforcements[deadline];
  if (enforcement === undefined || enforcement.stage === 'waiting') return unchanged;
  const retryAt = env.now + bounded(limits.oracleRetryMsMin * 2 ** Math.min(enforcement.refusals, 30));
  return accept({ type: 'EnforcementFailed', task, deadline, code, reason, retryAt });
}

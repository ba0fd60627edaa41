import type { ChainFact } from '../../src/core/chain-fact.ts';
import { accept, type Decision, type Env, reject, unchanged } from '../../src/core/decision.ts';
import type { Folded } from '../../src/core/fold.ts';
import type { Address, TaskId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import { backOff } from './back-off.ts';
import { type BatchCommand, decideBatch } from './batches.ts';
import type { LogAnchor, RouterContext } from './context.ts';
import type { RouterEvent } from './events.ts';
import { seeFact } from './facts.ts';

/** The node is up. Ends a drain. */
export type StartRouter = { readonly type: 'StartRouter'; readonly router: Address };
/** Take no new requests. */
export type DrainRouter = { readonly type: 'DrainRouter' };
/** The chain said something. */
export type SeeRouterFact = { readonly type: 'SeeFact'; readonly fact: ChainFact };
/** A node was heard of. May be sent for every heartbeat: only a change is written. */
export type SeeNode = { readonly type: 'SeeNode'; readonly node: Address; readonly models: readonly string[] };
/** A node was not heard of for too long. */
export type LoseNode = { readonly type: 'LoseNode'; readonly node: Address };
/** A node did not take what it was sent. */
export type ReportFailure = { readonly type: 'ReportFailure'; readonly node: Address; readonly reason: string };
/** What came of a task. Counted once. */
export type RecordOutcome = {
  readonly type: 'RecordOutcome';
  readonly task: TaskId;
  readonly honest: readonly Address[];
  readonly outliers: readonly Address[];
  readonly timedOut: readonly Address[];
  /** Measured speed of those that streamed, in tokens per second. */
  readonly tokensPerSecond?: { readonly [miner: Address]: number };
};
/** The heads of the log are to be anchored; their manifest is pinned. */
export type AnchorDue = LogAnchor & { readonly type: 'AnchorDue' };
/** An effect was refused for good. */
export type RouterEffectFailed = {
  readonly type: 'EffectFailed';
  readonly effect: string;
  readonly code: string;
  readonly reason: string;
};

/** Every command to a router. */
export type RouterCommand =
  | StartRouter
  | DrainRouter
  | SeeRouterFact
  | SeeNode
  | LoseNode
  | ReportFailure
  | RecordOutcome
  | AnchorDue
  | RouterEffectFailed
  | BatchCommand;

type State = Folded<RouterContext>;

/** What a command to a router leads to. */
export function decideRouter({ value, context }: State, command: RouterCommand, env: Env): Decision<RouterEvent> {
  if (command.type === 'StartRouter') return start(value, context, command);
  if (value === 'offline') return reject('router_not_started', 'The router is not started.', { class: 'unavailable' });
  switch (command.type) {
    case 'DrainRouter':
      return value === 'serving' ? accept<RouterEvent>({ type: 'RouterDraining' }) : unchanged;
    case 'SeeFact':
      return seeFact(context, command.fact, env);
    case 'SeeNode':
      return seeNode(context, command);
    case 'LoseNode':
      return context.nodes[command.node]?.online === true
        ? accept<RouterEvent>({ type: 'NodeLost', node: command.node })
        : unchanged;
    case 'ReportFailure':
      return accept(...backOff(context, command.node, command.reason, env));
    case 'RecordOutcome':
      return recordOutcome(context, command, env);
    case 'AnchorDue':
      return anchorDue(context, command);
    case 'EffectFailed': {
      const { effect, code, reason } = command;
      return effect === 'anchorOnChain' && context.pendingAnchor !== null
        ? accept<RouterEvent>({ type: 'AnchorFailed', code, reason })
        : unchanged;
    }
    default:
      return decideBatch(context, command);
  }
}

function start(value: string, context: RouterContext, { router }: StartRouter): Decision<RouterEvent> {
  if (context.router !== null && context.router !== router) {
    return reject('wrong_stream', `This is the stream of ${context.router}, not of ${router}.`);
  }
  return value === 'serving' ? unchanged : accept<RouterEvent>({ type: 'RouterStarted', router });
}

/** A node whose registration is not seen yet is passed over; its next heartbeat comes soon. */
function seeNode(context: RouterContext, { node, models }: SeeNode): Decision<RouterEvent> {
  const known = context.nodes[node];
  if (known === undefined) return unchanged;
  if (models.length > limits.nodeModelsMax)
    return reject('too_many_models', `A node serves at most ${limits.nodeModelsMax} models.`);
  const sorted = [...new Set(models)].toSorted();
  const same = known.models.length === sorted.length && sorted.every((model, index) => model === known.models[index]);
  return known.online && same ? unchanged : accept<RouterEvent>({ type: 'NodeSeen', node, models: sorted });
}

/** Those that timed out were backed off when they were replaced; outliers are now. */
function recordOutcome(context: RouterContext, command: RecordOutcome, env: Env): Decision<RouterEvent> {
  const { task, honest, outliers, timedOut, tokensPerSecond = {} } = command;
  if (context.outcomes.includes(task)) return unchanged;
  const outcome: RouterEvent = { type: 'OutcomeRecorded', task, honest, outliers, timedOut, tokensPerSecond };
  return accept(outcome, ...outliers.flatMap((node) => backOff(context, node, 'outlier', env)));
}

function anchorDue(context: RouterContext, { root, manifest, commits }: AnchorDue): Decision<RouterEvent> {
  const { pendingAnchor, lastAnchor } = context;
  if (pendingAnchor?.root === root || lastAnchor?.root === root) return unchanged;
  if (pendingAnchor !== null) {
    return reject('anchor_pending', 'Another anchor is on its way to the chain.', {
      class: 'busy',
      hint: 'Propose again when it is there.',
    });
  }
  return accept({ type: 'AnchorProposed', root, manifest, commits });
}

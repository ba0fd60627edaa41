import { canonicalJson } from '../../src/core/canonical-json.ts';
import type { ChainFact } from '../../src/core/chain-fact.ts';
import { accept, type Decision, reject, unchanged } from '../../src/core/decision.ts';
import type { Folded } from '../../src/core/fold.ts';
import type { Address, SessionId, TaskId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import { seenAt } from '../task/events.ts';
import type { OracleContext, Timeouts, WatchContext } from './context.ts';
import type { OracleEvent } from './events.ts';
import { watchCount } from './watches.ts';

type TaskFact = Extract<ChainFact, { readonly task: TaskId; readonly session: SessionId }>;

/** What a fact leads to: who takes part, which timeouts hold, where each task stands. */
export function seeFact(context: OracleContext, fact: ChainFact, ranking: readonly Address[]): Decision<OracleEvent> {
  const seen = seenAt(fact.place);
  switch (fact.type) {
    case 'NodeRegistered': {
      if (!fact.roles.includes('oracle') || context.oracles[fact.node] !== undefined) return unchanged;
      if (Object.keys(context.oracles).length >= limits.oraclesMax) return unchanged;
      return accept({ type: 'OracleJoined', oracle: fact.node, seen });
    }
    case 'NodeActiveSet': {
      const active = context.oracles[fact.node];
      if (active === undefined || active === fact.active) return unchanged;
      return accept({ type: fact.active ? 'OracleJoined' : 'OracleLeft', oracle: fact.node, seen });
    }
    case 'SessionOpened': {
      if (context.sessions[fact.session] !== undefined) return unchanged;
      if (Object.keys(context.sessions).length >= limits.oracleSessionsMax) return unchanged;
      return accept({ type: 'SessionTermsSeen', session: fact.session, timeouts: timeoutsOf(fact.terms), seen });
    }
    case 'SessionUpdated': {
      // Those of new tasks. For one that is under earlier terms the chain knows better: it refuses what is not due.
      const [known, timeouts] = [context.sessions[fact.session], timeoutsOf(fact.terms)];
      if (known === undefined || canonicalJson(known) === canonicalJson(timeouts)) return unchanged;
      return accept({ type: 'SessionTermsSeen', session: fact.session, timeouts, seen });
    }
    case 'SessionClosed':
      return context.sessions[fact.session] === undefined
        ? unchanged
        : accept<OracleEvent>({ type: 'SessionForgotten', session: fact.session, seen });
    case 'TaskSubmitted':
      return startWatch(context, fact);
    case 'MinersAssigned':
    case 'TaskAcked':
    case 'TaskPrecommitted':
    case 'AllPrecommitted':
    case 'TaskRevealed':
    case 'AllRevealed':
    case 'MinerReassigned':
    case 'ResultValidated':
    case 'OutcomeAppealed':
    case 'AppealDecided':
    case 'AppealUndecided':
    case 'TaskSettled':
    case 'TaskRefunded':
      return seeTaskFact(context, fact, ranking);
    default:
      return unchanged;
  }
}

function timeoutsOf(terms: Timeouts): Timeouts {
  const { queueTimeoutS, ackTimeoutS, executeTimeoutS, revealTimeoutS, validateTimeoutS } = terms;
  return { queueTimeoutS, ackTimeoutS, executeTimeoutS, revealTimeoutS, validateTimeoutS };
}

function startWatch(
  context: OracleContext,
  fact: Extract<ChainFact, { type: 'TaskSubmitted' }>,
): Decision<OracleEvent> {
  const { task, session, place } = fact;
  if (context.watches[task] !== undefined || context.ended.includes(task)) return unchanged;
  if (watchCount(context) >= limits.oracleWatchesMax) {
    return reject('oracle_busy', `The oracle watches ${limits.oracleWatchesMax} tasks, its bound.`, { class: 'busy' });
  }
  const timeouts = context.sessions[session];
  const expireBy = timeouts === undefined ? null : queueEnd(context, timeouts, fact);
  return accept({ type: 'WatchStarted', task, session, expireBy, seen: seenAt(place) });
}

/** As the contract counts it, but for the time of appeals: a step waits as long as what it comes after can live, too. */
function queueEnd(
  { watches }: OracleContext,
  timeouts: Timeouts,
  { after, place: { blockAt } }: Extract<ChainFact, { type: 'TaskSubmitted' }>,
): number {
  const parents = (after ?? []).map((parent) => watches[parent]?.context.expireBy ?? 0);
  const from = after === undefined ? blockAt : (hardDeadline(timeouts, Math.max(blockAt, ...parents)) ?? blockAt);
  return from + timeouts.queueTimeoutS * 1_000;
}

/** As the contract counts it: every slot through every attempt, the reveal and the attestations; twice. */
function hardDeadline(timeouts: Timeouts | undefined, assignedAt: number): number | null {
  if (timeouts === undefined) return null;
  const workS = (limits.slotAttemptsMax + 1) * (timeouts.ackTimeoutS + timeouts.executeTimeoutS);
  return assignedAt + 2_000 * (workS + timeouts.revealTimeoutS + timeouts.validateTimeoutS);
}

function seeTaskFact(context: OracleContext, fact: TaskFact, ranking: readonly Address[]): Decision<OracleEvent> {
  const watch = context.watches[fact.task];
  if (watch === undefined) return unchanged;
  const event = taskEvent(watch, fact, context.sessions[fact.session], ranking);
  return event === undefined ? unchanged : accept(event);
}

function taskEvent(
  { value, context }: Folded<WatchContext>,
  fact: TaskFact,
  timeouts: Timeouts | undefined,
  ranking: readonly Address[],
): OracleEvent | undefined {
  const { task } = fact;
  const seen = seenAt(fact.place);
  const phaseOf = (address: Address): string | undefined => context.slots.find(({ miner }) => miner === address)?.phase;
  switch (fact.type) {
    case 'MinersAssigned': {
      if (value !== 'queued') return undefined;
      const expireBy = hardDeadline(timeouts, fact.place.blockAt);
      return { type: 'SlotsAssigned', task, miners: fact.miners, ranking, ackBy: fact.ackBy, expireBy, seen };
    }
    case 'TaskAcked':
      if (value !== 'working' || phaseOf(fact.miner) !== 'assigned') return undefined;
      return { type: 'SlotAcked', task, miner: fact.miner, precommitBy: fact.precommitBy, seen };
    case 'TaskPrecommitted':
      if (value !== 'working' || phaseOf(fact.miner) !== 'acked') return undefined;
      return { type: 'SlotPrecommitted', task, miner: fact.miner, seen };
    case 'AllPrecommitted': {
      if (value !== 'working') return undefined;
      const again = timeouts === undefined ? null : fact.revealBy + timeouts.revealTimeoutS * 1_000;
      const expireBy = again === null ? context.expireBy : Math.max(again, context.expireBy ?? 0);
      return { type: 'RevealPhaseOpened', task, revealBy: fact.revealBy, expireBy, seen };
    }
    case 'TaskRevealed':
      if (value !== 'revealing' || phaseOf(fact.miner) !== 'precommitted') return undefined;
      return { type: 'SlotRevealed', task, miner: fact.miner, seen };
    case 'MinerReassigned': {
      if (!['working', 'revealing'].includes(value) || phaseOf(fact.miner) === undefined) return undefined;
      const { miner, replacement, ackBy, oracle } = fact;
      return { type: 'SlotReplaced', task, miner, replacement, ackBy, by: oracle, seen };
    }
    case 'AllRevealed':
      return value === 'revealing' ? { type: 'AttestPhaseOpened', task, attestBy: fact.attestBy, seen } : undefined;
    case 'ResultValidated':
      return value === 'attesting' ? { type: 'TaskDecided', task, seen } : undefined;
    case 'OutcomeAppealed': {
      if (value !== 'decided') return undefined;
      const { drawBy, attestBy, place } = fact;
      return { type: 'AppealOpened', task, appealedAt: place.blockAt, drawBy, attestBy, seen };
    }
    case 'AppealDecided':
    case 'AppealUndecided':
      return value === 'appealed' ? { type: 'AppealEnded', task, seen } : undefined;
    case 'TaskSettled':
    case 'TaskRefunded':
      return { type: 'WatchEnded', task, reason: fact.type, seen };
    default:
      return undefined;
  }
}

import type { ChainFact } from '../../src/core/chain-fact.ts';
import { accept, type Decision, type Env, unchanged } from '../../src/core/decision.ts';
import type { Folded } from '../../src/core/fold.ts';
import { limits } from '../../src/core/limits.ts';
import type { RoundFact } from '../../src/core/round-fact.ts';
import type { NetworkContext, RoundContext } from './context.ts';
import { type NetworkEvent, type RoundEvent, roundSeen } from './events.ts';
import { isAfter } from './machine.ts';

type State = Folded<NetworkContext>;
type Seen<Type extends RoundFact['type']> = Extract<ChainFact, { readonly type: Type }>;
type SeenRoundFact = Extract<ChainFact, { readonly round: number }>;

/** What a fact leads to. Facts come in the order of the chain; one that is told again changes nothing. */
export function seeFact(state: State, fact: ChainFact, env: Env): Decision<NetworkEvent> {
  const { value, context } = state;
  if (context.node === null || !isAfter(fact.place, context.seenTo)) return unchanged;
  if (fact.type === 'PoolJoined' || fact.type === 'PoolLeft') return seePool(state, fact, env);
  if (!('round' in fact)) return unchanged;
  // Who gets into the pool after the request may still be drawn to answer, so it knows the round from the begin.
  if (fact.type === 'RoundRequested') return value === 'off' ? unchanged : seeRequest(context, fact);
  const round = context.round?.context;
  if (round === undefined || round.round !== fact.round) return unchanged;
  const event = eventOf(round, context, fact);
  return event === undefined ? unchanged : accept<NetworkEvent>(event);
}

function seePool({ value, context }: State, fact: Seen<'PoolJoined' | 'PoolLeft'>, env: Env): Decision<NetworkEvent> {
  if (fact.node !== context.node || fact.role !== context.role) return unchanged;
  const seen = roundSeen(fact.place);
  if (fact.type === 'PoolJoined') {
    return value === 'joining' || value === 'out' ? accept<NetworkEvent>({ type: 'PoolEntered', seen }) : unchanged;
  }
  if (value !== 'member' && value !== 'leaving') return unchanged;
  const joinAt = value === 'member' ? Math.max(env.now, fact.place.blockAt + limits.poolRejoinMs) : 0;
  return accept<NetworkEvent>({ type: 'PoolExited', joinAt, seen });
}

function seeRequest({ node, role, firstRound }: NetworkContext, fact: Seen<'RoundRequested'>): Decision<NetworkEvent> {
  const { round, beaconBlock, drawBy, place } = fact;
  if (node === null || round < firstRound) return unchanged;
  const drawn = { round, beaconBlock, drawBy, seen: roundSeen(place) };
  return accept<NetworkEvent>({ type: 'RoundRequested', me: node, as: role, ...drawn });
}

/** What a fact of the round that is known is to this node; undefined for what it has no use for. */
function eventOf(context: RoundContext, { node, times }: NetworkContext, fact: SeenRoundFact): RoundEvent | undefined {
  const of = { round: fact.round, seen: roundSeen(fact.place) };
  switch (fact.type) {
    case 'CrewDrawn': {
      const { creator, preparer, createBy } = fact;
      return { type: fact.type, ...of, creator, preparer, createBy };
    }
    case 'RoundCreated':
      return { type: fact.type, ...of, topicDigest: fact.topicDigest, prepareBy: fact.prepareBy };
    case 'RoundPrepared': {
      const { questionsDigest, beaconBlock, drawBy } = fact;
      return { type: fact.type, ...of, questionsDigest, beaconBlock, drawBy };
    }
    case 'RoundStarted': {
      const { miners, validators, precommitBy } = fact;
      return { type: fact.type, ...of, miners, validators, precommitBy };
    }
    case 'AnswerPrecommitted':
      return fact.miner === node ? { type: fact.type, ...of } : undefined;
    case 'AnswersPrecommitted':
      return { type: fact.type, ...of, revealBy: fact.revealBy };
    case 'AnswerRevealed': {
      const { miner, resultRoot, resultDigest } = fact;
      const isWanted = miner === node || (node !== null && context.validators.includes(node));
      return isWanted ? { type: fact.type, ...of, miner, resultRoot, resultDigest } : undefined;
    }
    case 'AnswersRevealed':
      return { type: fact.type, ...of, validateBy: fact.validateBy };
    case 'NodeMissed': {
      const { node: missed, replacement, phase } = fact;
      const ms = phase === 'creating' ? times.createMs : phase === 'preparing' ? times.prepareMs : undefined;
      if (ms === undefined && missed !== node) return undefined;
      const phaseBy = ms === undefined ? context.phaseBy : fact.place.blockAt + ms;
      return { type: fact.type, ...of, node: missed, replacement, phaseBy };
    }
    case 'RoundEnded':
      return { type: fact.type, ...of, datasetDigest: fact.datasetDigest, honest: fact.honest };
    case 'RoundFailed':
      return { type: fact.type, ...of, reason: fact.reason };
    case 'IdleWorkCredited': {
      const { epoch, credits } = fact;
      return fact.node === node ? { type: fact.type, ...of, epoch, credits } : undefined;
    }
    case 'RoundRequested':
      return undefined;
  }
}

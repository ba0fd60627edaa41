import type { ChainFact, ChainPlace } from '../../src/core/chain-fact.ts';
import { accept, type Decision, type Env, reject, unchanged } from '../../src/core/decision.ts';
import type { Folded } from '../../src/core/fold.ts';
import type { Hex } from '../../src/core/hash.ts';
import type { Address, Cid } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import type { FactMark, NetworkContext, PartRole, RoundContext, RoundValue } from './context.ts';
import type { NetworkEvent, RoundTimes } from './events.ts';
import { seeFact } from './facts.ts';
import { isAfter } from './machine.ts';

/** The node is to take part. Facts up to `from` are not wanted, and no round before `firstRound`. */
export type TakePart = {
  readonly type: 'TakePart';
  readonly node: Address;
  readonly role: PartRole;
  readonly times: RoundTimes;
  readonly from: FactMark;
  readonly firstRound: number;
};
/** The node is to take part no more. */
export type LeaveRounds = { readonly type: 'LeaveRounds' };
/** The chain said something. */
export type SeeRoundFact = { readonly type: 'SeeFact'; readonly fact: ChainFact };
/** A reorg has taken a fact back. */
export type ForgetFact = { readonly type: 'ForgetFact'; readonly place: ChainPlace };
/** A slot has begun, or it is time to get into the pool again. */
export type FireRoundTimer = { readonly type: 'FireTimer'; readonly timer: string };
/** The node was found in its pool, or not in it. */
export type SeeMembership = { readonly type: 'SeeMembership'; readonly isMember: boolean };
/** The chain would not have it in the pool. */
export type FailJoin = { readonly type: 'FailJoin'; readonly code: string; readonly reason: string };
type OfRound = { readonly round: number };
/** The topic is made and stored. */
export type TellTopic = OfRound & { readonly type: 'TellTopic'; readonly topic: Cid };
/** The questions are made and stored. */
export type TellQuestions = OfRound & { readonly type: 'TellQuestions'; readonly questions: Cid };
/** The answers are made and stored. */
export type TellAnswers = OfRound & { readonly type: 'TellAnswers'; readonly resultRoot: Hex; readonly result: Cid };
/** The answers are compared and the data set is stored. */
export type TellJudgement = OfRound & {
  readonly type: 'TellJudgement';
  readonly honest: number;
  readonly dataset: Cid;
};
/** A step came to nothing. */
export type FailStep = OfRound & {
  readonly type: 'FailStep';
  readonly step: string;
  readonly code: string;
  readonly reason: string;
};

/** Every command about a node's part in idle rounds. */
export type NetworkCommand =
  | TakePart
  | LeaveRounds
  | SeeRoundFact
  | ForgetFact
  | FireRoundTimer
  | SeeMembership
  | FailJoin
  | TellTopic
  | TellQuestions
  | TellAnswers
  | TellJudgement
  | FailStep;

type State = Folded<NetworkContext>;

/** What a command leads to. What a node has made counts only while the round still waits for just that of it. */
export function decideNetwork(state: State, command: NetworkCommand, env: Env): Decision<NetworkEvent> {
  const { value, context } = state;
  switch (command.type) {
    case 'TakePart':
      return takePart(state, command);
    case 'LeaveRounds':
      return value === 'off' || value === 'leaving' ? unchanged : accept<NetworkEvent>({ type: 'PartLeft' });
    case 'SeeFact':
      return seeFact(state, command.fact, env);
    case 'ForgetFact':
      return forget(context, command.place);
    case 'FireTimer':
      return fireTimer(state, command, env);
    case 'SeeMembership':
      return seeMembership(value, command);
    case 'FailJoin': {
      const { code, reason } = command;
      if (value !== 'joining') return unchanged;
      return accept<NetworkEvent>({ type: 'JoinFailed', code, reason, joinAt: env.now + limits.poolRejoinMs });
    }
    case 'TellTopic': {
      const { round, topic } = command;
      const waits = waitsIn(context, round, 'creating', ({ creator, me }) => creator === me);
      return waits ? accept<NetworkEvent>({ type: 'TopicMade', round, topic }) : unchanged;
    }
    case 'TellQuestions': {
      const { round, questions } = command;
      const waits = waitsIn(context, round, 'preparing', ({ preparer, me }) => preparer === me);
      return waits ? accept<NetworkEvent>({ type: 'QuestionsMade', round, questions }) : unchanged;
    }
    case 'TellAnswers': {
      const { round, resultRoot, result } = command;
      const waits = waitsIn(context, round, 'answering', ({ answers }) => answers === null);
      return waits ? accept<NetworkEvent>({ type: 'AnswersMade', round, resultRoot, result }) : unchanged;
    }
    case 'TellJudgement': {
      const { round, honest, dataset } = command;
      const waits = waitsIn(context, round, 'validating', ({ judgement }) => judgement === null);
      return waits ? accept<NetworkEvent>({ type: 'RoundJudged', round, honest, dataset }) : unchanged;
    }
    case 'FailStep': {
      const { round, step, code, reason } = command;
      if (context.round?.context.round !== round || context.round.value === 'new') return unchanged;
      return accept<NetworkEvent>({ type: 'StepFailed', round, step, code, reason });
    }
  }
}

function takePart(
  { value, context }: State,
  { node, role, times, from, firstRound }: TakePart,
): Decision<NetworkEvent> {
  if (context.node !== null && (context.node !== node || context.role !== role)) {
    return reject('wrong_stream', `This is the stream of ${context.role} ${context.node}, not of ${role} ${node}.`);
  }
  if (value !== 'off' && value !== 'leaving') return unchanged;
  return accept<NetworkEvent>({ type: 'PartTaken', node, role, times, from, firstRound });
}

/** What was taken back and comes again, or other facts in its place, are after the mark then. */
function forget({ seenTo, node }: NetworkContext, place: ChainPlace): Decision<NetworkEvent> {
  if (node === null || isAfter(place, seenTo)) return unchanged;
  return accept<NetworkEvent>({ type: 'FactsReverted', block: place.block, logIndex: place.logIndex - 1 });
}

function fireTimer({ value, context }: State, { timer }: FireRoundTimer, env: Env): Decision<NetworkEvent> {
  if (timer === 'join')
    return value === 'out' && context.joinAt <= env.now ? accept<NetworkEvent>({ type: 'JoinWanted' }) : unchanged;
  const slot = slotAt(context.times, env.now);
  return value === 'driving' && slot > context.slot ? accept<NetworkEvent>({ type: 'SlotBegun', slot }) : unchanged;
}

/** The slot of a time, from 1; 0 before the first. */
export function slotAt({ startsAt, slotMs }: RoundTimes, at: number): number {
  return at < startsAt ? 0 : Math.floor((at - startsAt) / slotMs) + 1;
}

function seeMembership(value: string, { isMember }: SeeMembership): Decision<NetworkEvent> {
  if (isMember && (value === 'joining' || value === 'out'))
    return accept<NetworkEvent>({ type: 'PoolEntered', seen: null });
  if (!isMember && value === 'leaving') return accept<NetworkEvent>({ type: 'PoolExited', joinAt: 0, seen: null });
  return unchanged;
}

/** Whether a round is in a state, and waits for something of this node there. */
function waitsIn(
  { round }: NetworkContext,
  number: number,
  value: RoundValue,
  isOwn: (context: RoundContext) => boolean,
): boolean {
  return round !== null && round.context.round === number && round.value === value && isOwn(round.context);
}

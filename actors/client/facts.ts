import { canonicalJson } from '../../src/core/canonical-json.ts';
import type { ChainFact } from '../../src/core/chain-fact.ts';
import { digestToCid } from '../../src/core/cid.ts';
import { accept, type Decision, unchanged } from '../../src/core/decision.ts';
import type { Folded } from '../../src/core/fold.ts';
import type { Hex } from '../../src/core/hash.ts';
import { seenAt } from '../task/events.ts';
import { seeAppealed } from './appeals.ts';
import type { ClientContext, ContractContext } from './context.ts';
import { contractOf } from './contracts.ts';
import type { ClientEvent } from './events.ts';

/** What a fact means for the client's sessions; facts about others' change nothing. */
export function seeFact(context: ClientContext, fact: ChainFact, request: Hex | undefined): Decision<ClientEvent> {
  if (!('session' in fact)) return unchanged;
  if (fact.type === 'SessionOpened') return grant(context, fact, request);
  const contract = contractOf(context, fact.session);
  if (contract === undefined || !['open', 'closing'].includes(contract.value)) return unchanged;
  const event = eventOf(context, contract, fact);
  return event === undefined ? unchanged : accept(event);
}

/** A session that was opened elsewhere in the client's name is its own too; its id is its key. */
function grant(
  context: ClientContext,
  fact: Extract<ChainFact, { type: 'SessionOpened' }>,
  request: Hex | undefined,
): Decision<ClientEvent> {
  const { session, client, terms, place } = fact;
  if (client !== context.client || contractOf(context, session) !== undefined) return unchanged;
  const key =
    request !== undefined && context.sessions[request]?.value === 'requested' ? request : requestFor(context, fact);
  return accept({ type: 'SessionGranted', key: key ?? session, session, terms, seen: seenAt(place) });
}

/** The request with the same terms; which one, where there are several, makes no difference to anybody. */
function requestFor(
  { sessions }: ClientContext,
  { terms }: Extract<ChainFact, { type: 'SessionOpened' }>,
): string | undefined {
  const wanted = canonicalJson(terms);
  return Object.keys(sessions)
    .toSorted()
    .find((key) => sessions[key]?.value === 'requested' && canonicalJson(sessions[key].context.terms) === wanted);
}

function eventOf(
  all: ClientContext,
  { value, context }: Folded<ContractContext>,
  fact: Exclude<Extract<ChainFact, { session: unknown }>, { type: 'SessionOpened' }>,
): ClientEvent | undefined {
  const { client } = all;
  const { key, tasks, depositSeenAt } = context;
  const seen = seenAt(fact.place);
  const state = 'task' in fact ? tasks[fact.task]?.state : undefined;
  const isUnderWay = state === 'requested' || state === 'queued';
  switch (fact.type) {
    case 'SessionDeposited': {
      const { block, logIndex } = fact.place;
      const [seenBlock, seenIndex] = depositSeenAt;
      const isNew = block > seenBlock || (block === seenBlock && logIndex > seenIndex);
      return isNew
        ? { type: 'DepositSeen', key, own: fact.from === client, amountWei: fact.amountWei, logIndex, seen }
        : undefined;
    }
    case 'SessionDraining':
      return value === 'open' ? { type: 'ClosingSeen', key, seen } : undefined;
    case 'SessionClosed':
      return { type: 'SessionEnded', key, refundedWei: fact.refundedWei, seen };
    case 'TaskSubmitted':
      return state === 'requested' ? { type: 'TaskOnChain', key, task: fact.task, seen } : undefined;
    case 'OutcomeAppealed':
      return seeAppealed(all, context, fact);
    case 'TaskSettled': {
      const { task, priceWei, returnedWei, manifestDigest } = fact;
      return isUnderWay
        ? { type: 'ResultReceived', key, task, priceWei, returnedWei, manifest: digestToCid(manifestDigest), seen }
        : undefined;
    }
    case 'TaskRefunded':
      return isUnderWay
        ? { type: 'RefundReceived', key, task: fact.task, returnedWei: fact.returnedWei, reason: fact.reason, seen }
        : undefined;
    default:
      return undefined;
  }
}

import type { ChainFact } from '../../src/core/chain-fact.ts';
import { accept, type Decision, reject, unchanged } from '../../src/core/decision.ts';
import type { SessionId, TaskId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import { seenAt } from '../task/events.ts';
import { appealOf } from './appeal-list.ts';
import type { ClientContext, ContractContext } from './context.ts';
import { contractOf } from './contracts.ts';
import type { AppealFailed, AppealMade, AppealRequested } from './events.ts';

/** Have more validators look at the outcome of a task. One that the chain refused may be asked for again. */
export type AppealOutcome = { readonly type: 'AppealOutcome'; readonly session: SessionId; readonly task: TaskId };

/** Also of a session that closes: its last tasks end first. */
export function appealOutcome(context: ClientContext, { session, task }: AppealOutcome): Decision<AppealRequested> {
  const contract = contractOf(context, session);
  if (contract === undefined || !['open', 'closing'].includes(contract.value))
    return reject('session_not_found', `The client has no session ${session} that goes on.`, { class: 'not-found' });
  const known = appealOf(contract.context, task);
  if (known !== undefined && known.state !== 'failed') return unchanged;
  const open = contract.context.appeals.filter(({ state }) => state === 'requested').length;
  if (open >= limits.clientOpenRequestsMax)
    return reject('too_many_requests', `A session has at most ${limits.clientOpenRequestsMax} appeals under way.`, {
      class: 'busy',
    });
  return accept({ type: 'AppealRequested', key: contract.context.key, session, task });
}

/** The chain, or the wallet, would not have an appeal that was asked for. */
export function appealFailed(
  context: ContractContext,
  task: TaskId,
  { code, reason }: { readonly code: string; readonly reason: string },
): Decision<AppealFailed> {
  if (appealOf(context, task)?.state !== 'requested') return unchanged;
  return accept({ type: 'AppealFailed', key: context.key, task, code, reason });
}

/** What the chain's word of an appeal means to the client; nothing where it is another's. */
export function seeAppealed(
  { client }: ClientContext,
  context: ContractContext,
  fact: Extract<ChainFact, { type: 'OutcomeAppealed' }>,
): AppealMade | undefined {
  const { task, appellant, place } = fact;
  if (appellant !== client || appealOf(context, task)?.state !== 'requested') return undefined;
  return { type: 'AppealMade', key: context.key, task, seen: seenAt(place) };
}

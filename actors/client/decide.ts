import type { ChainFact, SessionTerms } from '../../src/core/chain-fact.ts';
import { accept, type Decision, type Env, reject, unchanged } from '../../src/core/decision.ts';
import type { Folded } from '../../src/core/fold.ts';
import type { Hex } from '../../src/core/hash.ts';
import { type Address, type Cid, type SessionId, type TaskId, taskId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import type { Wei } from '../../src/core/wei.ts';
import { appealFailed, type AppealOutcome, appealOutcome } from './appeals.ts';
import type { ClientContext, ContractContext } from './context.ts';
import { contractOf, openContractCount } from './contracts.ts';
import type { ClientEvent } from './events.ts';
import { seeFact } from './facts.ts';

/** The client is up. */
export type StartClient = { readonly type: 'StartClient'; readonly client: Address };
/** Open a session. `request` is the client's own id: sending it again opens no second one. */
export type OpenSession = {
  readonly type: 'OpenSession';
  readonly request: Hex;
  readonly terms: SessionTerms;
  readonly depositWei: Wei;
};
/** Put more money in. `request` is the client's own id of this deposit. */
export type Deposit = {
  readonly type: 'Deposit';
  readonly session: SessionId;
  readonly request: Hex;
  readonly amountWei: Wei;
};
/** Submit a task on chain, without a router. */
export type SubmitTask = {
  readonly type: 'SubmitTask';
  readonly session: SessionId;
  readonly requestId: Hex;
  readonly prompt: Cid;
  readonly maxTokens: number;
  readonly maxPriceWei: Wei;
};
/** Close a session. */
export type CloseSession = { readonly type: 'CloseSession'; readonly session: SessionId };
/** The chain said something. `request` where the client knows which of its requests it answers. */
export type SeeClientFact = { readonly type: 'SeeFact'; readonly fact: ChainFact; readonly request?: Hex };
/** An effect was refused for good. `key` is the effect's; `request` a deposit's `request`, a task's `requestId`, or the task of an appeal. */
export type ClientEffectFailed = {
  readonly type: 'EffectFailed';
  readonly effect: string;
  readonly key: string;
  readonly request: Hex | null;
  readonly code: string;
  readonly reason: string;
};

/** Every command to a client. */
export type ClientCommand =
  | StartClient
  | OpenSession
  | Deposit
  | SubmitTask
  | CloseSession
  | AppealOutcome
  | SeeClientFact
  | ClientEffectFailed;

type State = Folded<ClientContext>;
type OpenContract = ContractContext & { readonly session: SessionId };

/** What a command to a client leads to. */
export function decideClient({ value, context }: State, command: ClientCommand, _env: Env): Decision<ClientEvent> {
  if (command.type === 'StartClient') return start(value, context, command);
  if (value === 'offline') return reject('client_not_started', 'The client is not started.', { class: 'unavailable' });
  switch (command.type) {
    case 'OpenSession':
      return openSession(context, command);
    case 'Deposit':
      return inSession(context, command.session, (contract) => deposit(contract, command));
    case 'SubmitTask':
      return inSession(context, command.session, (contract) => submitTask(contract, command));
    case 'CloseSession':
      return closeSession(context, command);
    case 'AppealOutcome':
      return appealOutcome(context, command);
    case 'SeeFact':
      return seeFact(context, command.fact, command.request);
    case 'EffectFailed':
      return effectFailed(context, command);
  }
}

function start(value: string, context: ClientContext, { client }: StartClient): Decision<ClientEvent> {
  if (context.client !== null && context.client !== client) {
    return reject('wrong_stream', `This is the stream of ${context.client}, not of ${client}.`);
  }
  return value === 'active' ? unchanged : accept<ClientEvent>({ type: 'ClientStarted', client });
}

function openSession(context: ClientContext, { request, terms, depositWei }: OpenSession): Decision<ClientEvent> {
  if (context.sessions[request] !== undefined) return unchanged;
  if (depositWei === '0')
    return reject('empty_deposit', 'A session is opened with a deposit.', {
      hint: 'Deposit at least the price of one task.',
    });
  if (openContractCount(context) >= limits.clientSessionsMax) {
    return reject(
      'too_many_sessions',
      `A client has at most ${limits.clientSessionsMax} sessions that are not closed.`,
      { class: 'busy' },
    );
  }
  return accept({ type: 'SessionRequested', key: request, terms, depositWei });
}

function inSession(
  context: ClientContext,
  session: SessionId,
  decide: (contract: OpenContract) => Decision<ClientEvent>,
): Decision<ClientEvent> {
  const contract = contractOf(context, session);
  if (contract === undefined)
    return reject('session_not_found', `The client has no session ${session}.`, { class: 'not-found' });
  if (contract.value !== 'open')
    return reject('session_not_open', `Session ${session} is ${contract.value}.`, {
      class: 'forbidden',
      hint: 'Use a session that is open, or open another one.',
    });
  return decide({ ...contract.context, session });
}

function deposit({ key, session, deposits }: OpenContract, { request, amountWei }: Deposit): Decision<ClientEvent> {
  const known = deposits.find((one) => one.request === request);
  if (known !== undefined) return known.amountWei === amountWei ? unchanged : requestIdReused;
  if (amountWei === '0') return reject('empty_deposit', 'A deposit is more than nothing.');
  if (deposits.filter(({ state }) => state === 'requested').length >= limits.clientOpenRequestsMax) return tooMany;
  return accept({ type: 'DepositRequested', key, session, request, amountWei });
}

const requestIdReused = reject('request_id_reused', 'This request id was used for another request.', {
  hint: 'Use a new id for a new request.',
});
const tooMany = reject(
  'too_many_requests',
  `A session has at most ${limits.clientOpenRequestsMax} of these under way.`,
  { class: 'busy' },
);

function submitTask({ key, session, tasks, endedTasks }: OpenContract, command: SubmitTask): Decision<ClientEvent> {
  const { requestId, prompt, maxTokens, maxPriceWei } = command;
  const task = taskId(session, requestId);
  const known = tasks[task];
  if (known !== undefined)
    return known.prompt === prompt && known.maxTokens === maxTokens ? unchanged : requestIdReused;
  if (!Number.isInteger(maxTokens) || maxTokens < 1 || maxTokens > limits.outputTokensMax) {
    return reject('invalid_max_tokens', `maxTokens must be 1 to ${limits.outputTokensMax}.`);
  }
  if (maxPriceWei === '0') return reject('invalid_max_price', 'A task for nothing finds no miner.');
  if (Object.keys(tasks).length - endedTasks.length >= limits.clientOpenRequestsMax) return tooMany;
  return accept({ type: 'TaskRequested', key, session, task, requestId, prompt, maxTokens, maxPriceWei });
}

function closeSession(context: ClientContext, { session }: CloseSession): Decision<ClientEvent> {
  const contract = contractOf(context, session);
  if (contract === undefined)
    return reject('session_not_found', `The client has no session ${session}.`, { class: 'not-found' });
  return contract.value === 'open'
    ? accept<ClientEvent>({ type: 'CloseRequested', key: contract.context.key, session })
    : unchanged;
}

function effectFailed(
  context: ClientContext,
  { effect, key, request, code, reason }: ClientEffectFailed,
): Decision<ClientEvent> {
  const contract = context.sessions[key];
  if (contract === undefined) return unchanged;
  const { value, context: known } = contract;
  const isOpen = value === 'open' || value === 'closing';
  if (effect === 'appealOnChain' && isOpen && request !== null)
    return appealFailed(known, request as TaskId, { code, reason });
  if (effect === 'openSessionOnChain' && value === 'requested')
    return accept({ type: 'SessionRequestFailed', key, code, reason });
  if (effect === 'closeSessionOnChain' && value === 'closing')
    return accept({ type: 'CloseFailed', key, code, reason });
  if (effect === 'depositOnChain' && isOpen && request !== null) {
    const waits = known.deposits.some((one) => one.request === request && one.state === 'requested');
    return waits ? accept<ClientEvent>({ type: 'DepositFailed', key, request, code, reason }) : unchanged;
  }
  if (effect === 'submitOnChain' && isOpen && request !== null && known.session !== null) {
    const task = taskId(known.session, request);
    return known.tasks[task]?.state === 'requested'
      ? accept<ClientEvent>({ type: 'TaskRequestFailed', key, task, code, reason })
      : unchanged;
  }
  return unchanged;
}

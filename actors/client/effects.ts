import type { SessionTerms } from '../../src/core/chain-fact.ts';
import { cidToDigest } from '../../src/core/cid.ts';
import type { Seen } from '../../src/core/effect-action.ts';
import type { Hex } from '../../src/core/hash.ts';
import type { SessionId, TaskId } from '../../src/core/ids.ts';
import type { Wei } from '../../src/core/wei.ts';
import type { ContractContext } from './context.ts';
import type { AppealRequested, CloseRequested, DepositRequested, SessionRequested, TaskRequested } from './events.ts';

/** Open a session with a first deposit. */
export type OpenSessionOnChain = {
  readonly kind: 'openSessionOnChain';
  readonly key: string;
  readonly terms: SessionTerms;
  readonly depositWei: Wei;
};
/** Deposit more. */
export type DepositOnChain = {
  readonly kind: 'depositOnChain';
  readonly key: string;
  readonly session: SessionId;
  readonly request: Hex;
  readonly amountWei: Wei;
};
/** Submit a task without a router. */
export type SubmitOnChain = {
  readonly kind: 'submitOnChain';
  readonly key: string;
  readonly session: SessionId;
  readonly task: TaskId;
  readonly requestId: Hex;
  readonly promptDigest: Hex;
  readonly maxTokens: number;
  readonly maxPriceWei: Wei;
};
/** Close a session; what is left comes back. */
export type CloseSessionOnChain = {
  readonly kind: 'closeSessionOnChain';
  readonly key: string;
  readonly session: SessionId;
};

/** Put down the bond and appeal. */
export type AppealOnChain = {
  readonly kind: 'appealOnChain';
  readonly key: string;
  readonly session: SessionId;
  readonly task: TaskId;
};

/** Every effect of a client. */
export type ClientEffect = OpenSessionOnChain | DepositOnChain | SubmitOnChain | CloseSessionOnChain | AppealOnChain;

/** The session goes on chain. */
export function afterRequest({
  event: { key, terms, depositWei },
}: Seen<ContractContext, SessionRequested>): ClientEffect[] {
  return [{ kind: 'openSessionOnChain', key, terms, depositWei }];
}

/** The deposit goes on chain. */
export function afterDepositRequest({ event }: Seen<ContractContext, DepositRequested>): ClientEffect[] {
  const { key, session, request, amountWei } = event;
  return [{ kind: 'depositOnChain', key, session, request, amountWei }];
}

/** The task goes on chain. */
export function afterTaskRequest({ event }: Seen<ContractContext, TaskRequested>): ClientEffect[] {
  const { key, session, task, requestId, prompt, maxTokens, maxPriceWei } = event;
  return [
    { kind: 'submitOnChain', key, session, task, requestId, promptDigest: cidToDigest(prompt), maxTokens, maxPriceWei },
  ];
}

/** The end of the session goes on chain. */
export function afterCloseRequest({ event: { key, session } }: Seen<ContractContext, CloseRequested>): ClientEffect[] {
  return [{ kind: 'closeSessionOnChain', key, session }];
}

/** The appeal goes on chain. */
export function afterAppealRequest({ event }: Seen<ContractContext, AppealRequested>): ClientEffect[] {
  const { key, session, task } = event;
  return [{ kind: 'appealOnChain', key, session, task }];
}

import type { SessionTerms } from '../../src/core/chain-fact.ts';
import type { Hex } from '../../src/core/hash.ts';
import type { Address, Cid, SessionId, TaskId } from '../../src/core/ids.ts';
import type { Wei } from '../../src/core/wei.ts';
import type { SeenAt } from '../task/events.ts';

/** The client is up. */
export type ClientStarted = { readonly type: 'ClientStarted'; readonly client: Address };

/** `key` names the session before the chain has given it an id. */
type OfSession = { readonly key: string };

/** A session is wanted. */
export type SessionRequested = OfSession & {
  readonly type: 'SessionRequested';
  readonly terms: SessionTerms;
  readonly depositWei: Wei;
};
/** The chain would not open it. */
export type SessionRequestFailed = OfSession & {
  readonly type: 'SessionRequestFailed';
  readonly code: string;
  readonly reason: string;
};
/** The chain has opened it. */
export type SessionGranted = OfSession & {
  readonly type: 'SessionGranted';
  readonly session: SessionId;
  readonly terms: SessionTerms;
  readonly seen: SeenAt;
};

/** More money is to go in. */
export type DepositRequested = OfSession & {
  readonly type: 'DepositRequested';
  readonly session: SessionId;
  readonly request: Hex;
  readonly amountWei: Wei;
};
/** The chain would not take it. */
export type DepositFailed = OfSession & {
  readonly type: 'DepositFailed';
  readonly request: Hex;
  readonly code: string;
  readonly reason: string;
};
/** Money came in. `own` where it came from this client. */
export type DepositSeen = OfSession & {
  readonly type: 'DepositSeen';
  readonly own: boolean;
  readonly amountWei: Wei;
  readonly logIndex: number;
  readonly seen: SeenAt;
};

/** A task is to be submitted on chain. */
export type TaskRequested = OfSession & {
  readonly type: 'TaskRequested';
  readonly session: SessionId;
  readonly task: TaskId;
  readonly requestId: Hex;
  readonly prompt: Cid;
  readonly maxTokens: number;
  readonly maxPriceWei: Wei;
};
/** The chain would not take it. */
export type TaskRequestFailed = OfSession & {
  readonly type: 'TaskRequestFailed';
  readonly task: TaskId;
  readonly code: string;
  readonly reason: string;
};
/** The chain has the task. */
export type TaskOnChain = OfSession & { readonly type: 'TaskOnChain'; readonly task: TaskId; readonly seen: SeenAt };
/** The task is settled; `manifest` leads to the answer. */
export type ResultReceived = OfSession & {
  readonly type: 'ResultReceived';
  readonly task: TaskId;
  readonly priceWei: Wei;
  readonly returnedWei: Wei;
  readonly manifest: Cid;
  readonly seen: SeenAt;
};
/** The task was not delivered; its money is back in the session. */
export type RefundReceived = OfSession & {
  readonly type: 'RefundReceived';
  readonly task: TaskId;
  readonly returnedWei: Wei;
  readonly reason: string;
  readonly seen: SeenAt;
};

/** The outcome of a task is to be appealed, with a bond. */
export type AppealRequested = OfSession & {
  readonly type: 'AppealRequested';
  readonly session: SessionId;
  readonly task: TaskId;
};
/** The chain would not take it. */
export type AppealFailed = OfSession & {
  readonly type: 'AppealFailed';
  readonly task: TaskId;
  readonly code: string;
  readonly reason: string;
};
/** The chain has the appeal. */
export type AppealMade = OfSession & { readonly type: 'AppealMade'; readonly task: TaskId; readonly seen: SeenAt };

/** The session is to be closed. */
export type CloseRequested = OfSession & { readonly type: 'CloseRequested'; readonly session: SessionId };
/** The chain would not close it. */
export type CloseFailed = OfSession & { readonly type: 'CloseFailed'; readonly code: string; readonly reason: string };
/** The chain lets the session's tasks end and takes no new ones. */
export type ClosingSeen = OfSession & { readonly type: 'ClosingSeen'; readonly seen: SeenAt };
/** The session is closed and what was left is back. */
export type SessionEnded = OfSession & {
  readonly type: 'SessionEnded';
  readonly refundedWei: Wei;
  readonly seen: SeenAt;
};

/** Every event of a session as its client sees it. */
export type ContractEvent =
  | SessionRequested
  | SessionRequestFailed
  | SessionGranted
  | DepositRequested
  | DepositFailed
  | DepositSeen
  | TaskRequested
  | TaskRequestFailed
  | TaskOnChain
  | ResultReceived
  | RefundReceived
  | AppealRequested
  | AppealFailed
  | AppealMade
  | CloseRequested
  | CloseFailed
  | ClosingSeen
  | SessionEnded;

/** The names of those events, for routing them to the contract machine. */
export const contractEventTypes = [
  'SessionRequested',
  'SessionRequestFailed',
  'SessionGranted',
  'DepositRequested',
  'DepositFailed',
  'DepositSeen',
  'TaskRequested',
  'TaskRequestFailed',
  'TaskOnChain',
  'ResultReceived',
  'RefundReceived',
  'AppealRequested',
  'AppealFailed',
  'AppealMade',
  'CloseRequested',
  'CloseFailed',
  'ClosingSeen',
  'SessionEnded',
] as const satisfies readonly ContractEvent['type'][];

/** Every event of a client's stream. */
export type ClientEvent = ClientStarted | ContractEvent;

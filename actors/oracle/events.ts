import type { Address, SessionId, TaskId } from '../../src/core/ids.ts';
import type { SeenAt } from '../task/events.ts';
import type { Timeouts } from './context.ts';
import type { OracleAction } from './deadlines.ts';

/** The oracle is up, with this length of leadership. */
export type OracleStarted = { readonly type: 'OracleStarted'; readonly oracle: Address; readonly sliceMs: number };
/** An oracle takes part, by the registry; it may be this one. */
export type OracleJoined = { readonly type: 'OracleJoined'; readonly oracle: Address; readonly seen: SeenAt };
/** An oracle takes no part any more. */
export type OracleLeft = { readonly type: 'OracleLeft'; readonly oracle: Address; readonly seen: SeenAt };
/** The timeouts of a session's tasks. */
export type SessionTermsSeen = {
  readonly type: 'SessionTermsSeen';
  readonly session: SessionId;
  readonly timeouts: Timeouts;
  readonly seen: SeenAt;
};
/** The session is closed and has no more tasks. */
export type SessionForgotten = {
  readonly type: 'SessionForgotten';
  readonly session: SessionId;
  readonly seen: SeenAt;
};

type OfTask = { readonly task: TaskId };

/** A task is on chain and waits for its miners. */
export type WatchStarted = OfTask & {
  readonly type: 'WatchStarted';
  readonly session: SessionId;
  readonly expireBy: number | null;
  readonly seen: SeenAt;
};
/** The task has its miners. `ranking` is the order of its selection, for replacements. */
export type SlotsAssigned = OfTask & {
  readonly type: 'SlotsAssigned';
  readonly miners: readonly Address[];
  readonly ranking: readonly Address[];
  readonly ackBy: number;
  readonly expireBy: number | null;
  readonly seen: SeenAt;
};
/** The order of the selection became known after the assignment. */
export type RankingLearned = OfTask & { readonly type: 'RankingLearned'; readonly ranking: readonly Address[] };
/** A miner is at work. */
export type SlotAcked = OfTask & {
  readonly type: 'SlotAcked';
  readonly miner: Address;
  readonly precommitBy: number;
  readonly seen: SeenAt;
};
/** A miner is bound to its result. */
export type SlotPrecommitted = OfTask & {
  readonly type: 'SlotPrecommitted';
  readonly miner: Address;
  readonly seen: SeenAt;
};
/** Every live slot has precommitted. */
export type RevealPhaseOpened = OfTask & {
  readonly type: 'RevealPhaseOpened';
  readonly revealBy: number;
  readonly expireBy: number | null;
  readonly seen: SeenAt;
};
/** A miner has shown its result. */
export type SlotRevealed = OfTask & { readonly type: 'SlotRevealed'; readonly miner: Address; readonly seen: SeenAt };
/** A slot went to another miner, or to none. */
export type SlotReplaced = OfTask & {
  readonly type: 'SlotReplaced';
  readonly miner: Address;
  readonly replacement: Address | null;
  readonly ackBy: number;
  readonly by: Address;
  readonly seen: SeenAt;
};
/** Every live slot has revealed. */
export type AttestPhaseOpened = OfTask & {
  readonly type: 'AttestPhaseOpened';
  readonly attestBy: number;
  readonly seen: SeenAt;
};
/** The validators have decided. */
export type TaskDecided = OfTask & { readonly type: 'TaskDecided'; readonly seen: SeenAt };
/** More validators are asked about what was decided. */
export type AppealOpened = OfTask & {
  readonly type: 'AppealOpened';
  readonly appealedAt: number;
  readonly drawBy: number;
  readonly attestBy: number;
  readonly seen: SeenAt;
};
/** The appeal has ended, however. */
export type AppealEnded = OfTask & { readonly type: 'AppealEnded'; readonly seen: SeenAt };
/** The task is settled or refunded. */
export type WatchEnded = OfTask & { readonly type: 'WatchEnded'; readonly reason: string; readonly seen: SeenAt };

/** A deadline has passed by the clock, and it is this oracle's turn; the chain's time is asked for. */
export type DeadlineReached = OfTask & {
  readonly type: 'DeadlineReached';
  readonly deadline: string;
  readonly at: number;
};
/** The chain's time is behind the clock; it is asked again at `retryAt`. */
export type DeadlineDeferred = OfTask & {
  readonly type: 'DeadlineDeferred';
  readonly deadline: string;
  readonly retryAt: number;
};
/** The deadline has passed by both times; the chain is told. `miner` is null where the whole task is meant. */
export type DeadlineEnforced = OfTask & {
  readonly type: 'DeadlineEnforced';
  readonly deadline: string;
  readonly action: OracleAction;
  readonly miner: Address | null;
  readonly replacement: Address | null;
};
/** The chain would not have it; if the deadline still stands at `retryAt`, it is tried again. */
export type EnforcementFailed = OfTask & {
  readonly type: 'EnforcementFailed';
  readonly deadline: string;
  readonly code: string;
  readonly reason: string;
  readonly retryAt: number;
};

/** Every event of a watched task. */
export type WatchEvent =
  | WatchStarted
  | SlotsAssigned
  | RankingLearned
  | SlotAcked
  | SlotPrecommitted
  | RevealPhaseOpened
  | SlotRevealed
  | SlotReplaced
  | AttestPhaseOpened
  | TaskDecided
  | AppealOpened
  | AppealEnded
  | WatchEnded
  | DeadlineReached
  | DeadlineDeferred
  | DeadlineEnforced
  | EnforcementFailed;

/** The names of watch events, for routing them to the watch machine. */
export const watchEventTypes = [
  'WatchStarted',
  'SlotsAssigned',
  'RankingLearned',
  'SlotAcked',
  'SlotPrecommitted',
  'RevealPhaseOpened',
  'SlotRevealed',
  'SlotReplaced',
  'AttestPhaseOpened',
  'TaskDecided',
  'AppealOpened',
  'AppealEnded',
  'WatchEnded',
  'DeadlineReached',
  'DeadlineDeferred',
  'DeadlineEnforced',
  'EnforcementFailed',
] as const satisfies readonly WatchEvent['type'][];

/** Every event of an oracle's stream. */
export type OracleEvent = OracleStarted | OracleJoined | OracleLeft | SessionTermsSeen | SessionForgotten | WatchEvent;

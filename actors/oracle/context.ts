import type { SessionTerms } from '../../src/core/chain-fact.ts';
import type { Folded } from '../../src/core/fold.ts';
import type { Address, SessionId, TaskId } from '../../src/core/ids.ts';

/** The states of an oracle. */
export const oracleStates = ['offline', 'idle', 'watching'] as const;

/**
 * The states of a watched task. `decided` waits for its settlement, which has no deadline; `appealed` for the end of an
 * appeal.
 */
export const watchStates = [
  'new',
  'queued',
  'working',
  'revealing',
  'attesting',
  'decided',
  'appealed',
  'ended',
] as const;

/** One of the k places of a watched task. */
export type WatchedSlot = {
  readonly miner: Address;
  readonly phase: 'assigned' | 'acked' | 'precommitted' | 'revealed';
  /** When it must have done its next step, milliseconds since 1970. */
  readonly deadline: number;
};

/** How far the oracle has come with one deadline. */
export type Enforcement = {
  /** `checking`: the chain's time was asked for; `enforced`: the chain was told; `waiting`: to be tried again. */
  readonly stage: 'checking' | 'enforced' | 'waiting';
  /** Not before this time, milliseconds since 1970. */
  readonly notBefore: number;
  /** How often the chain refused. */
  readonly refusals: number;
  /** The replacement that was proposed last. */
  readonly replacement: Address | null;
};

/** Everything an oracle remembers about a task. */
export type WatchContext = {
  readonly task: TaskId;
  readonly session: SessionId;
  /** When the whole task may be expired, milliseconds since 1970; null where its session's terms are unknown. */
  readonly expireBy: number | null;
  readonly attestBy: number;
  /** When the outcome was appealed, and until when validators may be nominated; 0 while there is no appeal. */
  readonly appealedAt: number;
  readonly drawBy: number;
  readonly slots: readonly WatchedSlot[];
  /** Candidates in the order in which they stand by. */
  readonly ranking: readonly Address[];
  /** Miners that may not come (again): replaced ones and those the chain refused. */
  readonly unfit: readonly Address[];
  readonly enforcements: { readonly [deadline: string]: Enforcement };
};

/** The timeouts of a session, in seconds, as its terms have them. */
export type Timeouts = Pick<
  SessionTerms,
  'queueTimeoutS' | 'ackTimeoutS' | 'executeTimeoutS' | 'revealTimeoutS' | 'validateTimeoutS'
>;

/** Everything an oracle remembers. */
export type OracleContext = {
  readonly oracle: Address | null;
  /** How long one oracle leads, in milliseconds. */
  readonly sliceMs: number;
  /** All oracles of the registry and whether they are active. */
  readonly oracles: { readonly [oracle: Address]: boolean };
  /** The active ones in the order in which they lead. */
  readonly active: readonly Address[];
  readonly sessions: { readonly [session: SessionId]: Timeouts };
  /** Unfinished tasks. */
  readonly watches: { readonly [task: TaskId]: Folded<WatchContext> };
  /** Newest ended tasks, oldest first (`limits.oracleEndedKept`). */
  readonly ended: readonly TaskId[];
};

const nothing = '';

/** The context of a watch before its first event. */
export const emptyWatch: WatchContext = {
  task: nothing as TaskId,
  session: nothing as SessionId,
  expireBy: null,
  attestBy: 0,
  appealedAt: 0,
  drawBy: 0,
  slots: [],
  ranking: [],
  unfit: [],
  enforcements: {},
};

/** The context of an oracle before its first event. */
export const emptyOracle: OracleContext = {
  oracle: null,
  sliceMs: 0,
  oracles: {},
  active: [],
  sessions: {},
  watches: {},
  ended: [],
};

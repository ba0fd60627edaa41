import type { Address } from '../core/ids.ts';
import type { PoolRole, RoundState } from '../core/round-fact.ts';

/** The slots and deadlines of idle rounds, in seconds. */
export interface RoundTerms {
  /** When the first slot begins, in milliseconds since 1970. */
  readonly startsAt: number;
  readonly slotS: number;
  readonly createS: number;
  readonly prepareS: number;
  /** How long after a deadline only oracles may use it. */
  readonly graceS: number;
}

/** A round as the chain has it. */
export interface RoundRecord {
  readonly round: number;
  readonly state: RoundState;
  /** The deadline of its phase, in milliseconds since 1970. */
  readonly phaseBy: number;
  readonly creator: Address | null;
  readonly preparer: Address | null;
  readonly answers: readonly { readonly miner: Address; readonly precommitted: boolean; readonly revealed: boolean }[];
  readonly validators: readonly Address[];
}

/** Where idle rounds stand, all of one block. */
export interface RoundsState {
  /** The time of the block, in milliseconds since 1970, and its number. */
  readonly at: number;
  readonly block: number;
  /** The slot of that time, from 1; 0 before the first. */
  readonly slot: number;
  /** The newest round; undefined before the first. */
  readonly newest: RoundRecord | undefined;
  /** How many are in each pool. */
  readonly pools: Readonly<Record<PoolRole, number>>;
  /** Credits that were given in the epoch of that time. */
  readonly epoch: number;
  readonly credits: number;
}

/** The network sessions on chain as nodes need them. Each throws PouwError `chain_unreachable`. */
export interface RoundsChain {
  terms(): Promise<RoundTerms>;
  state(): Promise<RoundsState>;
  /** A round; its state is `none` where nobody has asked for it. */
  round(round: number): Promise<RoundRecord>;
  isInPool(role: PoolRole, node: Address): Promise<boolean>;
  /** How many of the validators of a round must sign its outcome. */
  quorum(validators: number): Promise<number>;
}

import type { Event } from '../core/commit.ts';
import type { Decision, Env, Rejection } from '../core/decision.ts';
import type { Effect, Timer } from '../core/effect.ts';
import type { Fold, Folded } from '../core/fold.ts';
import type { ActorKind, EffectId, StreamId } from '../core/ids.ts';

/** An actor as the runtime sees it: a fold, a decision and the timers a state waits for. All pure. */
export interface ActorDefinition<Context, Command> {
  readonly kind: ActorKind;
  /** Snapshots of another machine version are thrown away. */
  readonly machineVersion: number;
  readonly fold: Fold<Context>;
  decide(state: Folded<Context>, command: Command, env: Env): Decision<Event>;
  /** The timers of a state; the host sends `timerCommand` when one is due. */
  timers(state: Folded<Context>): readonly Timer[];
  timerCommand(timer: Timer): Command;
}

/** What became of a command. */
export type DispatchResult<Context> =
  | { readonly ok: true; readonly version: number; readonly events: readonly Event[]; readonly state: Folded<Context> }
  | { readonly ok: false; readonly rejection: Rejection };

/** What an effect handler knows beside the effect. */
export interface EffectContext {
  /** The same on every attempt; receivers drop what they have seen. */
  readonly id: EffectId;
  readonly stream: StreamId;
  /** Aborted when the host stops. */
  readonly signal: AbortSignal;
}

/**
 * Carries one effect out. Returning marks it done; throwing leaves it to be tried again, after a back-off
 * or a restart, under the same id.
 */
export type EffectHandler = (effect: Effect, context: EffectContext) => Promise<void>;

/** A running host of actors, the only writer of their streams. */
export interface ActorHost {
  /**
   * Decides a command against the newest state, appends what follows and runs the effects. Commands to
   * one stream are carried out one after the other; a command that leads to no events costs no write.
   *
   * @param cause the effect, request or chain fact behind the command; kept in the commit.
   * @throws PouwError `actor_busy` when `limits.actorMailboxMax` commands wait, `host_stopped`.
   */
  dispatch<Context, Command>(
    actor: ActorDefinition<Context, Command>,
    stream: StreamId,
    command: Command,
    cause: string,
  ): Promise<DispatchResult<Context>>;
  /** The newest state of an actor, loaded if need be. */
  state<Context, Command>(
    actor: ActorDefinition<Context, Command>,
    stream: StreamId,
  ): Promise<{ readonly state: Folded<Context>; readonly version: number }>;
  /** Loads streams so that their unfinished effects and timers run. */
  wake(streams: readonly StreamId[]): Promise<void>;
  /**
   * Lets streams go that another node owns from now on: their waiting effects and timers are dropped, the state is
   * forgotten. Resolves once commands under way have ended.
   */
  release(streams: readonly StreamId[]): Promise<void>;
  /** Resolves when no effect is running or waiting, but for those that are backed off. */
  idle(): Promise<void>;
  /** Stops taking commands, lets running effects end (`graceMs`), then aborts them. Nothing is lost. */
  stop(graceMs: number): Promise<void>;
}

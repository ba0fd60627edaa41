import type { Commit } from '../core/commit.ts';
import type { Signer } from '../core/ed25519.ts';
import type { Folded } from '../core/fold.ts';
import type { Address, StreamId } from '../core/ids.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { ActorDefinition, EffectHandler } from './actor.ts';
import type { EffectFailure } from './effect-runner.ts';
import type { ActorSources } from './load-actor.ts';

/** What a host is made of. */
export interface HostOptions extends ActorSources {
  /** The node whose streams these are; signs every commit. */
  readonly author: Address;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly random: Random;
  /**
   * The fence under which this node owns a stream now; null where a stream needs no lease. Asked before every commit.
   *
   * @throws PouwError `not_owner` where another node owns it.
   */
  readonly fenceOf?: (stream: StreamId) => number | null;
  /** The kinds of actor this host runs, to wake streams by name. */
  // oxlint-disable-next-line typescript/no-explicit-any -- definitions of different contexts and commands live in one table.
  readonly actors: readonly ActorDefinition<any, any>[];
  /** One handler per effect kind. */
  readonly handlers: Readonly<Record<string, EffectHandler>>;
  /** Told about every commit this host has stored. */
  readonly onCommit?: (commit: Commit, state: Folded<unknown>) => void;
  /** Told about failed attempts of effects and failed timers. */
  readonly onFailure?: (failure: EffectFailure) => void;
  /** Commits between two snapshots of a stream; default 200. */
  readonly snapshotEvery?: number;
  /** Actors kept in memory; default `limits.hostActorsMax`. */
  readonly actorsMax?: number;
  /** Effects that may run at a time; default 256. */
  readonly effectConcurrency?: number;
  /** First pause after a failed effect; default 200 ms, doubling up to 2 s. */
  readonly effectBackoffMs?: number;
}

import type { Commit } from '../core/commit.ts';
import type { Effect } from '../core/effect.ts';
import type { Folded } from '../core/fold.ts';
import type { StreamId } from '../core/ids.ts';
import type { DispatchResult, EffectContext } from '../runtime/actor.ts';
import type { EffectFailure } from '../runtime/effect-runner.ts';
import type { NodeIdentity } from './ports.ts';

/** What a node has in hand. */
export interface NodeLoad {
  /** Actors in memory. */
  readonly actors: number;
  /** Effects that run, wait to run, or wait for another attempt. */
  readonly running: number;
  readonly waiting: number;
  readonly backedOff: number;
}

/** Watches nodes, for metrics and traces. Watching changes nothing and never throws. */
export interface NodeWatch {
  /** A node begins; `load` tells what it has in hand whenever it is asked. */
  begin(identity: NodeIdentity, load: () => NodeLoad): NodeWatcher;
}

/** Watches one node. */
export interface NodeWatcher {
  /** A command is carried out by `run`; what that gives is passed on. */
  command<Context>(
    stream: StreamId,
    command: unknown,
    run: () => Promise<DispatchResult<Context>>,
  ): Promise<DispatchResult<Context>>;
  /** One attempt at an effect is made by `run`; what that gives is passed on. */
  effect(effect: Effect, context: EffectContext, run: () => Promise<void>): Promise<void>;
  /** A commit of the node is stored. */
  committed(commit: Commit, state: Folded<unknown>): void;
  /** An attempt at an effect has failed, or something that the host does by itself. */
  failed(failure: EffectFailure): void;
  /** A message was not acted upon. */
  dropped(code: string, subject: string): void;
  /** The node has stopped. */
  end(): void;
}

/** Several watches as one: the first is the outermost. */
export function watchTogether(watches: readonly NodeWatch[]): NodeWatch {
  return {
    begin(identity, load) {
      const watchers = watches.map((watch) => watch.begin(identity, load));
      return {
        command: (stream, command, run) =>
          watchers.reduceRight((inner, watcher) => () => watcher.command(stream, command, inner), run)(),
        effect: (effect, context, run) =>
          watchers.reduceRight((inner, watcher) => () => watcher.effect(effect, context, inner), run)(),
        committed: (commit, state) => {
          for (const watcher of watchers) watcher.committed(commit, state);
        },
        failed: (failure) => {
          for (const watcher of watchers) watcher.failed(failure);
        },
        dropped: (code, subject) => {
          for (const watcher of watchers) watcher.dropped(code, subject);
        },
        end: () => {
          for (const watcher of watchers) watcher.end();
        },
      };
    },
  };
}

import { genesisHash, requireNext } from '../core/commit.ts';
import type { Effect } from '../core/effect.ts';
import { foldCommit } from '../core/fold-commit.ts';
import type { Folded } from '../core/fold.ts';
import { hashJson } from '../core/hash.ts';
import type { EffectId, StreamId } from '../core/ids.ts';
import type { EffectJournal } from '../ports/effect-journal.ts';
import type { EventStore } from '../ports/event-store.ts';
import type { Snapshots } from '../ports/snapshots.ts';
import type { ActorDefinition } from './actor.ts';

/** An actor as the log has it, with the effects that no journal entry says are done. */
export interface LoadedActor<Context> {
  readonly state: Folded<Context>;
  readonly version: number;
  readonly hash: string;
  /** The highest fence of its commits; 0 where none has one. */
  readonly fence: number;
  /** The version of the snapshot it began from; 0 for none. */
  readonly snapshotVersion: number;
  readonly undone: readonly { readonly version: number; readonly effects: readonly Effect[] }[];
  readonly doneIds: ReadonlySet<EffectId>;
}

/** Where actors are loaded from. */
export interface ActorSources {
  readonly store: EventStore;
  readonly snapshots: Snapshots;
  readonly journal: EffectJournal;
}

/**
 * Folds a stream to its newest state: from a usable snapshot and the tail, else from the first commit.
 *
 * The content of what a snapshot covers is not read; a process checks it once, when it reads the log at its start.
 *
 * @throws PouwError `log_broken_chain` where a commit does not follow the one before it, `commit_damaged` where it is not
 *   what its hash says, `log_newer_version`.
 */
export async function loadActor<Context, Command>(
  sources: ActorSources,
  actor: ActorDefinition<Context, Command>,
  stream: StreamId,
): Promise<LoadedActor<Context>> {
  const { watermark, ids } = await sources.journal.done(stream);
  let { state, version, hash, fence } = await startOf(sources, actor, stream, watermark);
  const snapshotVersion = version;
  const undone: { version: number; effects: readonly Effect[] }[] = [];
  for await (const { commit } of sources.store.read(stream, { fromVersion: version + 1 })) {
    requireNext({ version, hash }, commit);
    const { state: next, effects } = foldCommit(actor.fold, state, commit);
    state = next;
    version = commit.version;
    hash = commit.hash;
    fence = Math.max(fence, commit.fence ?? 0);
    if (version > watermark && effects.length > 0) undone.push({ version, effects });
  }
  return { state, version, hash, fence, snapshotVersion, undone, doneIds: ids };
}

interface Start<Context> {
  readonly state: Folded<Context>;
  readonly version: number;
  readonly hash: string;
  readonly fence: number;
}

async function startOf<Context, Command>(
  { snapshots, store }: ActorSources,
  actor: ActorDefinition<Context, Command>,
  stream: StreamId,
  watermark: number,
): Promise<Start<Context>> {
  const beginning = { state: actor.fold.initial, version: 0, hash: genesisHash, fence: 0 };
  const snapshot = await snapshots.load(stream);
  if (snapshot === undefined || snapshot.machineVersion !== actor.machineVersion) return beginning;
  // Effects between watermark and snapshot would be lost if the fold began after them.
  if (snapshot.version > watermark || hashJson(snapshot.state) !== snapshot.stateHash) return beginning;
  const head = await store.head(stream);
  if (head === undefined || head.version < snapshot.version) return beginning;
  for await (const { commit } of store.read(stream, { fromVersion: snapshot.version, toVersion: snapshot.version })) {
    if (commit.hash === snapshot.commitHash) {
      const { version, hash, fence = 0 } = commit;
      return { state: snapshot.state as Folded<Context>, version, hash, fence };
    }
  }
  return beginning;
}

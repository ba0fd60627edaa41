import { brokenChain, genesisHash, refuseNewerFormat } from '../core/commit.ts';
import { PouwError } from '../core/errors.ts';
import { type CommitFold, foldCommit } from '../core/fold-commit.ts';
import { hashJson } from '../core/hash.ts';
import type { StreamId } from '../core/ids.ts';
import type { StoredCommit } from '../ports/event-store.ts';
import type { LogSource } from './source.ts';

/** A fold over events; an actor's `fold` is one. */
export interface StreamFold<State> extends CommitFold<State> {
  /** The state before the first event. */
  readonly initial: State;
}

/** A stream folded to one of its versions. */
export interface FoldedStream<State> {
  readonly stream: StreamId;
  readonly version: number;
  /** The hash of the commit at that version. */
  readonly commitHash: string;
  /** When that commit was written, in milliseconds since 1970. */
  readonly at: number;
  readonly state: State;
  /** SHA-256 over the state's canonical JSON: equal on every machine, equal to the live state's. */
  readonly stateHash: string;
}

/**
 * Folds a stream to a version, the newest unless `atVersion` says otherwise.
 *
 * @throws PouwError `stream_not_found`, `version_not_found`, `log_broken_chain`, `log_newer_version`.
 */
export async function foldStream<State>(
  source: LogSource,
  stream: StreamId,
  fold: StreamFold<State>,
  { atVersion }: { readonly atVersion?: number } = {},
): Promise<FoldedStream<State>> {
  if (atVersion !== undefined && (!Number.isSafeInteger(atVersion) || atVersion < 1))
    throw noSuchVersion(stream, atVersion);
  const folding = new Folding(stream, fold);
  for await (const stored of source.read(stream, atVersion === undefined ? {} : { toVersion: atVersion }))
    folding.take(stored);
  if (folding.version === 0) {
    throw new PouwError('stream_not_found', `There is no stream ${stream} in ${source.origin}.`, {
      class: 'not-found',
      hint: 'List the streams with `pouw log list`.',
    });
  }
  if (atVersion !== undefined && folding.version < atVersion) throw noSuchVersion(stream, atVersion, folding.version);
  return folding.result();
}

/**
 * Folds every stream that has a fold to its newest version, in one pass over the log.
 *
 * @param foldOf the fold of a stream; undefined to leave it out.
 * @returns in order of stream id.
 * @throws PouwError `log_broken_chain`, `log_newer_version`.
 */
export async function foldAll(
  source: LogSource,
  foldOf: (stream: StreamId) => StreamFold<unknown> | undefined,
): Promise<readonly FoldedStream<unknown>[]> {
  const foldings = new Map<StreamId, Folding<unknown> | undefined>();
  for await (const stored of source.readAll()) {
    const { stream } = stored.commit;
    if (!foldings.has(stream)) {
      const fold = foldOf(stream);
      foldings.set(stream, fold && new Folding(stream, fold));
    }
    foldings.get(stream)?.take(stored);
  }
  const folded = [...foldings.values()].filter((folding) => folding !== undefined).map((folding) => folding.result());
  return folded.toSorted((a, b) => (a.stream < b.stream ? -1 : 1));
}

class Folding<State> {
  version = 0;
  readonly #stream: StreamId;
  readonly #fold: StreamFold<State>;
  #state: State;
  #hash = genesisHash;
  #at = 0;

  constructor(stream: StreamId, fold: StreamFold<State>) {
    this.#stream = stream;
    this.#fold = fold;
    this.#state = fold.initial;
  }

  take({ commit }: StoredCommit): void {
    refuseNewerFormat(commit);
    if (commit.version !== this.version + 1 || commit.prev !== this.#hash)
      throw brokenChain({ stream: this.#stream, version: commit.version });
    this.#state = foldCommit(this.#fold, this.#state, commit).state;
    this.version = commit.version;
    this.#hash = commit.hash;
    this.#at = commit.at;
  }

  result(): FoldedStream<State> {
    return {
      stream: this.#stream,
      version: this.version,
      commitHash: this.#hash,
      at: this.#at,
      state: this.#state,
      stateHash: hashJson(this.#state),
    };
  }
}

function noSuchVersion(stream: StreamId, version: number, newest?: number): PouwError {
  return new PouwError('version_not_found', `There is no version ${version} of ${stream}.`, {
    class: 'not-found',
    ...(newest !== undefined && { hint: `Its newest version is ${newest}.`, details: { newest } }),
    ...(newest === undefined && { hint: 'Versions are whole numbers from 1.' }),
  });
}

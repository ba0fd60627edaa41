import { brokenChain, genesisHash, refuseNewerFormat, requireIntact } from '../core/commit.ts';
import type { StreamId } from '../core/ids.ts';
import type { EventStore, StoredCommit } from '../ports/event-store.ts';

/**
 * The whole log, each commit checked against its hash and against the one before it in its stream: who reads it at its
 * start adds nothing to a log that was damaged while it was away. Who signed what only a verification checks.
 *
 * @throws PouwError `commit_damaged`, `log_broken_chain`, `log_newer_version`, and what the store throws.
 */
export async function* readIntact(store: EventStore): AsyncGenerator<StoredCommit> {
  const heads = new Map<StreamId, { readonly version: number; readonly hash: string }>();
  for await (const stored of store.readAll()) {
    const { commit } = stored;
    refuseNewerFormat(commit);
    requireIntact(commit);
    const { stream, version, prev, hash } = commit;
    const before = heads.get(stream) ?? { version: 0, hash: genesisHash };
    if (version !== before.version + 1 || prev !== before.hash) throw brokenChain(commit);
    heads.set(stream, { version, hash });
    yield stored;
  }
}

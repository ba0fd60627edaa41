import type { ContractProgress } from '../../adapters/chain/chain-reader.ts';
import { parseAnchorManifest } from '../../core/anchor.ts';
import { PouwError } from '../../core/errors.ts';
import { digestToCid } from '../../core/cid.ts';
import type { Hex } from '../../core/hash.ts';
import { type Cid, parseStreamId } from '../../core/ids.ts';
import type { Json } from '../../core/json.ts';
import type { EventStore } from '../../ports/event-store.ts';

/**
 * Checks that a log has all that its chain has of it: what the newest anchor names is there, and a log without a commit
 * has no session on chain. A node writes before it sends, so a chain that is ahead tells that the log was lost or cut.
 * Older anchors are left to `pouw log verify`. Where the newest manifest is gone, a log is passed that once proposed it.
 *
 * @param content what is held here under a digest; undefined where it is not.
 * @throws PouwError `log_behind_chain`.
 */
export async function requireWholeLog(
  store: EventStore,
  { sessions, manifestDigest }: ContractProgress,
  content: (digest: Hex) => Promise<Json | undefined>,
): Promise<void> {
  if (await isEmpty(store)) {
    if (sessions === 0 && manifestDigest === undefined) return;
    throw behind('The log is empty, and the contracts have sessions and anchors of it.', { sessions });
  }
  if (manifestDigest === undefined) return;
  const manifest = await content(manifestDigest);
  const heads = manifest === undefined ? undefined : parseAnchorManifest(manifest)?.heads;
  if (heads === undefined && !(await hasProposed(store, digestToCid(manifestDigest))))
    throw behind('The newest anchor is none that this log has proposed.', { manifestDigest });
  for (const [stream, version] of heads ?? []) {
    const last = (await store.head(stream))?.version ?? 0;
    if (last < version)
      throw behind(`The log ends at ${stream}@${last}, and version ${version} was anchored.`, {
        stream,
        last,
        version,
      });
  }
}

/** Whether one of the log's routers has wanted the heads in this manifest to be anchored. */
async function hasProposed(store: EventStore, manifest: Cid): Promise<boolean> {
  for await (const { stream } of store.heads()) {
    if (parseStreamId(stream).kind !== 'router') continue;
    for await (const { commit } of store.read(stream)) {
      if (commit.events.some((event) => event.type === 'AnchorProposed' && event['manifest'] === manifest)) return true;
    }
  }
  return false;
}

/** Whether a log has no commit at all. */
export async function isEmpty(store: EventStore): Promise<boolean> {
  for await (const _ of store.heads()) return false;
  return true;
}

function behind(why: string, details: Readonly<Record<string, string | number>>): PouwError {
  return new PouwError('log_behind_chain', 'The log does not have what its chain has of it.', {
    class: 'corrupt',
    why,
    hint: 'Restore the whole data directory from one copy, or use another --data directory.',
    details,
  });
}

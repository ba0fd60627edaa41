import { digestToCid } from '../../core/cid.ts';
import { errorCode } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import type { Json } from '../../core/json.ts';
import type { CheckpointOptions } from '../../nodes/oracle/checkpoints.ts';
import type { NodePorts } from '../../nodes/ports.ts';
import type { Chain } from '../../ports/chain.ts';
import type { ContentStore } from '../../ports/content-store.ts';
import { anchoredPosition, reputationCheckpoint } from '../../replay/reputation-checkpoint.ts';
import { anchorOf, type ChainAnchor, storeSource } from '../../replay/source.ts';

/** How long the manifest of an anchor may take to arrive. */
const manifestTimeoutMs = 5_000;

/**
 * Makes checkpoints from the log of a process, as `pouw log reputation` does, up to the position that the newest anchor of
 * the epoch binds; none where there is none. It fails with `anchor_not_found` where no manifest up to that can be had.
 */
export function checkpointMaker({
  store,
  chain,
  content,
}: Pick<NodePorts, 'store' | 'chain' | 'content'>): CheckpointOptions['make'] {
  return async ({ from, endedAt, idleWork }) => {
    const anchors = await anchorsOf(chain, content, endedAt);
    const anchorEpoch = anchors.at(-1)?.epoch;
    if (anchorEpoch === undefined) return undefined;
    const to = anchoredPosition(anchors, anchorEpoch);
    const source = storeSource('the log', store, { deployment: chain.deployment, keys: new Map(), anchors });
    // Two anchors may bind the same positions: what was counted before is not new.
    const made = await reputationCheckpoint(source, { from, to: Math.max(to, from - 1), idleWork });
    const { manifest, manifestDigest } = made;
    return { anchorEpoch, manifest, manifestDigest, to: manifest.to, standings: manifest.standings };
  };
}

async function anchorsOf(chain: Chain, content: ContentStore, endedAt: number): Promise<readonly ChainAnchor[]> {
  const { number } = await chain.block();
  const facts = await chain.facts(chain.deployment.fromBlock, number);
  const anchored = facts.filter((fact) => fact.type === 'LogAnchored').filter(({ place }) => place.blockAt <= endedAt);
  return Promise.all(anchored.map(async (fact) => anchorOf(fact, await manifestOf(content, fact.manifestDigest))));
}

async function manifestOf(content: ContentStore, digest: Hex): Promise<Json> {
  try {
    return await content.get(digestToCid(digest), { timeoutMs: manifestTimeoutMs });
  } catch (error) {
    if (errorCode(error) === 'content_not_found' || errorCode(error) === 'content_corrupt') return null;
    throw error;
  }
}

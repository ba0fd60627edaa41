import { digestToCid } from '../../core/cid.ts';
import { errorCode } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import type { Json } from '../../core/json.ts';
import type { CheckpointOptions } from '../../nodes/oracle/checkpoints.ts';
import type { NodePorts } from '../../nodes/ports.ts';
import type { Chain } from '../../ports/chain.ts';
import type { ContentStore } from '../../ports/content-store.ts';
import { BoundOrder } from '../../replay/bound-order.ts';
import { anchoredPosition, reputationCheckpoint } from '../../replay/reputation-checkpoint.ts';
import { anchorOf, type ChainAnchor, type LogSource, storeSource } from '../../replay/source.ts';

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
  return async ({ from, endedAt, anchoredBefore, idleWork }) => {
    const { anchors, isOver } = await anchorsOf(chain, content, endedAt);
    const anchorEpoch = anchors.at(-1)?.epoch;
    if (anchorEpoch === undefined) return undefined;
    const bound = anchoredPosition(anchors, anchorEpoch);
    // Two anchors may bind the same positions: what was counted before is not new.
    const to = Math.max(bound, from - 1);
    const source = storeSource('the log', store, { deployment: chain.deployment, keys: new Map(), anchors });
    const order = new BoundOrder(anchors, from);
    const made = await reputationCheckpoint(watched(source, order, to), { from, to, idleWork });
    const { manifest, manifestDigest } = made;
    const isWhole = anchors.every((anchor) => anchor.epoch <= anchoredBefore || anchor.manifest !== null);
    const isCertain = isOver && isWhole && order.holds(to);
    return { anchorEpoch, manifest, manifestDigest, to: manifest.to, standings: manifest.standings, isCertain };
  };
}

/** The log, looked at up to a position while it is read. */
function watched(source: LogSource, order: BoundOrder, to: number): LogSource {
  return {
    ...source,
    async *readAll() {
      for await (const stored of source.readAll()) {
        if (stored.position <= to) order.take(stored);
        yield stored;
      }
    },
  };
}

/** The anchors of an epoch's time, and whether the chain here is past it, so that no other one can be of it. */
async function anchorsOf(
  chain: Chain,
  content: ContentStore,
  endedAt: number,
): Promise<{ readonly anchors: readonly ChainAnchor[]; readonly isOver: boolean }> {
  const { number, at } = await chain.block();
  const facts = await chain.facts(chain.deployment.fromBlock, number);
  const anchored = facts.filter((fact) => fact.type === 'LogAnchored').filter(({ place }) => place.blockAt <= endedAt);
  const anchors = await Promise.all(
    anchored.map(async (fact) => anchorOf(fact, await manifestOf(content, fact.manifestDigest))),
  );
  return { anchors, isOver: at > endedAt };
}

async function manifestOf(content: ContentStore, digest: Hex): Promise<Json> {
  try {
    return await content.get(digestToCid(digest), { timeoutMs: manifestTimeoutMs });
  } catch (error) {
    if (errorCode(error) === 'content_not_found' || errorCode(error) === 'content_corrupt') return null;
    throw error;
  }
}

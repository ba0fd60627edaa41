import { cidToDigest } from '../../src/core/cid.ts';
import type { Seen } from '../../src/core/effect-action.ts';
import type { Hex } from '../../src/core/hash.ts';
import type { BatchEffect } from './batch-effects.ts';
import type { RouterContext } from './context.ts';
import type { AnchorProposed } from './events.ts';

/** Put the root of the log's heads on chain. The manifest is pinned already. */
export type AnchorOnChain = {
  readonly kind: 'anchorOnChain';
  readonly root: Hex;
  readonly manifestDigest: Hex;
  readonly commits: number;
};

/** Every effect of a router. */
export type RouterEffect = AnchorOnChain | BatchEffect;

/** The anchor goes on chain. */
export function afterProposal({ event }: Seen<RouterContext, AnchorProposed>): RouterEffect[] {
  return [
    { kind: 'anchorOnChain', root: event.root, manifestDigest: cidToDigest(event.manifest), commits: event.commits },
  ];
}

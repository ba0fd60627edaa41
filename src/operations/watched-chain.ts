import { PouwError } from '../core/errors.ts';
import type { Chain, ChainFeed } from '../ports/chain.ts';
import { decorate } from './decorate.ts';
import type { ReadinessCheck } from './readiness.ts';

/** A chain that knows whether it can be reached, by what its followers are told; and the check that says so. */
export function watchChain(chain: Chain): { readonly chain: Chain; readonly check: ReadinessCheck } {
  let outage: string | undefined;
  const watched = decorate(chain, {
    follow: (cursor, feed) => {
      const told: ChainFeed = {
        onFacts: (facts, at) => feed.onFacts(facts, at),
        onRemoved: (facts, at) => feed.onRemoved(facts, at),
        onProgress: (progress) => feed.onProgress?.(progress),
        onLost: (error) => feed.onLost?.(error),
        onOutage: (state, reason) => {
          outage = state === 'down' ? reason : undefined;
          feed.onOutage?.(state, reason);
        },
      };
      return chain.follow(cursor, told);
    },
  });
  const check = (): void => {
    if (outage === undefined) return;
    throw new PouwError('chain_unreachable', `The chain cannot be reached: ${outage}`, { class: 'unavailable' });
  };
  return { chain: watched, check };
}

import { errorCode } from '../core/errors.ts';
import type { Hex } from '../core/hash.ts';
import { limits } from '../core/limits.ts';
import type { Chain, ChainFact, ChainFeed, ChainProgress } from '../ports/chain.ts';
import type { Metrics } from '../ports/metrics.ts';
import { decorate } from './decorate.ts';
import { Recent } from '../core/recent.ts';

/** A chain that measures its transactions, and how far its followers are behind its head. */
export function meterChain(chain: Chain, metrics: Metrics): Chain {
  /** An effect that is carried out again finds its transaction: gas is paid once. */
  const paid = new Recent<Hex, true>(limits.watchMemoryMax);
  const followers = new Map<object, ChainProgress>();
  metrics.onCollect(() => {
    if (followers.size === 0) return;
    const all = [...followers.values()];
    const slowest = Math.min(...all.map(({ block }) => block));
    const head = Math.max(...all.map((one) => one.head));
    metrics.set('pouw_chain_head_block', {}, head);
    metrics.set('pouw_chain_follower_block', {}, slowest);
    metrics.set('pouw_chain_follower_lag_blocks', {}, Math.max(0, head - slowest));
  });
  return decorate(chain, {
    send: async (from, call, effect) => {
      const seconds = metrics.timer();
      let code = 'ok';
      try {
        const receipt = await chain.send(from, call, effect);
        if (!paid.has(receipt.txHash)) metrics.add('pouw_chain_gas_used_total', { call: call.call }, receipt.gasUsed);
        paid.set(receipt.txHash, true);
        return receipt;
      } catch (error) {
        code = errorCode(error);
        throw error;
      } finally {
        metrics.add('pouw_chain_transactions_total', { call: call.call, code });
        metrics.observe('pouw_chain_transaction_duration_seconds', { call: call.call }, seconds());
      }
    },
    follow: (cursor, feed) => {
      const follower = {};
      metrics.set('pouw_chain_up', {}, 1);
      const subscription = chain.follow(
        cursor,
        meteredFeed(feed, metrics, (at) => followers.set(follower, at)),
      );
      return {
        close: async () => {
          await subscription.close();
          followers.delete(follower);
        },
      };
    },
  });
}

function meteredFeed(feed: ChainFeed, metrics: Metrics, onProgress: (at: ChainProgress) => void): ChainFeed {
  return {
    onFacts: async (facts, cursor) => {
      await feed.onFacts(facts, cursor);
      count('pouw_chain_facts_total', facts, metrics);
    },
    onRemoved: async (facts, cursor) => {
      await feed.onRemoved(facts, cursor);
      count('pouw_chain_removed_facts_total', facts, metrics);
    },
    onOutage: (state, reason) => {
      metrics.set('pouw_chain_up', {}, state === 'up' ? 1 : 0);
      feed.onOutage?.(state, reason);
    },
    onLost: (error) => feed.onLost?.(error),
    onProgress: (at) => {
      onProgress(at);
      feed.onProgress?.(at);
    },
  };
}

function count(
  name: 'pouw_chain_facts_total' | 'pouw_chain_removed_facts_total',
  facts: readonly ChainFact[],
  metrics: Metrics,
): void {
  for (const { type } of facts) metrics.add(name, { fact: type });
}

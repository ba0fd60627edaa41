import type { Address } from '../../src/core/ids.ts';
import { boundedWeight, type WeightedNode } from '../../src/core/selection.ts';
import type { Wei } from '../../src/core/wei.ts';
import { isServed } from './access.ts';
import type { KnownNode, RouterContext } from './context.ts';
import { reputationScore } from './reputation.ts';

/** Who is wanted. */
export interface CandidateQuery {
  readonly role: 'miner' | 'validator';
  /** The model it must serve; null for any. */
  readonly model: string | null;
  /** The only nodes allowed; empty for anyone. */
  readonly allowed: readonly Address[];
  readonly exclude: readonly Address[];
  /** Milliseconds since 1970, for nodes that cool down. */
  readonly now: number;
  /** Whether those that cool down are wanted too. */
  readonly evenCooling?: boolean;
}

/** How much longer than its time a node is left alone by the clock here, in milliseconds: the chain counts whole seconds. */
const restMarginMs = 1_000;

/** Even a node with the worst reputation is drawn at times, or it could never recover. */
const scoreFloor = 0.05;

/** An amount in $COR, to 4 decimals: enough for a weight. */
function cor(amount: Wei): number {
  return Number(BigInt(amount) / 10n ** 14n) / 10_000;
}

/**
 * The published weight of a node in a selection:
 * `(0.05 + 0.95 · score) / (1 + load) · (1 + log10(1 + stake) / 10) · (1 + level / 10)`, stake in $COR, in millionths: for
 * any stake there can be at most 1.9 million at level 0 and 3.8 million at level 10.
 * Reputation counts most; load spreads work; a level adds a tenth; ten times the stake adds a tenth, so that money alone
 * buys little. The bound of the level is {@link nodeWeight}'s.
 */
export function selectionWeight({
  reputation,
  load,
  stakeWei,
  level,
}: Pick<KnownNode, 'reputation' | 'load' | 'stakeWei' | 'level'>): number {
  const score = scoreFloor + (1 - scoreFloor) * reputationScore(reputation);
  const weight = (score / (1 + load)) * (1 + Math.log10(1 + cor(stakeWei)) / 10) * (1 + level / 10);
  return Math.max(1, Math.round(weight * 1_000_000));
}

/** {@link selectionWeight}, and no more than the node's level may have by the parameters on chain, which hold to it. */
export function nodeWeight({ maxWeights }: Pick<RouterContext, 'maxWeights'>, known: KnownNode): number {
  const weight = selectionWeight(known);
  return maxWeights === null ? weight : boundedWeight(weight, known.level, maxWeights);
}

/**
 * The nodes that may be selected now and their weights, in order of address. Whom the registry keeps from work, or who
 * does not serve the model by it, is none: the chain's word counts, not a heartbeat's alone. Nor is whom the router refuses.
 */
export function candidates(
  context: RouterContext,
  { role, model, allowed, exclude, now, evenCooling = false }: CandidateQuery,
): WeightedNode[] {
  return Object.entries(context.nodes)
    .map(([node, known]) => ({ node: node as Address, known }))
    .filter(({ node, known }) => {
      const mayWork = known.restUntil === 0 || known.restUntil + restMarginMs <= now;
      const isRested = evenCooling || known.coolDownUntil <= now;
      const fits = known.roles.includes(role) && known.active && known.online && mayWork && isRested;
      const serves = model === null || (known.models.includes(model) && known.served.includes(model));
      const isWanted = !exclude.includes(node) && (allowed.length === 0 || allowed.includes(node));
      return fits && serves && isWanted && isServed(context, node);
    })
    .map(({ node, known }) => ({ node, weight: nodeWeight(context, known) }))
    .toSorted((a, b) => (a.node < b.node ? -1 : 1));
}

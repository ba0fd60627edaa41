import { type CandidateQuery, candidates } from '../../../actors/router/candidates.ts';
import { isServed } from '../../../actors/router/access.ts';
import type { RouterContext } from '../../../actors/router/context.ts';
import type { SessionContext } from '../../../actors/session/context.ts';
import type { Address } from '../../core/ids.ts';
import type { WeightedNode } from '../../core/selection.ts';
import type { Presence } from '../presence.ts';

/** What says who may be chosen: the router's book, and who is heard now. */
export interface Eligibility {
  readonly book: RouterContext;
  readonly presence: Presence;
}

/**
 * The candidates, those that this router has left to cool down left out while the others are enough. Where they are not,
 * the ones that have cooled longest come back: a small network with one bad node still works. Whoever has fallen silent,
 * drains, or is kept from work by the registry, is none, however short ago.
 */
export function eligible({ book, presence }: Eligibility, query: CandidateQuery, wanted: number): WeightedNode[] {
  const present = (all: WeightedNode[]): WeightedNode[] =>
    all.filter(({ node }) => presence.takesWork(node, query.now));
  const rested = present(candidates(book, query));
  if (rested.length >= wanted) return rested;
  const coolUntil = ({ node }: WeightedNode): number => book.nodes[node]?.coolDownUntil ?? 0;
  const cooling = present(candidates(book, { ...query, evenCooling: true }))
    .filter(({ node }) => !rested.some((one) => one.node === node))
    .toSorted((a, b) => coolUntil(a) - coolUntil(b));
  return [...rested, ...cooling.slice(0, wanted - rested.length)].toSorted((a, b) => (a.node < b.node ? -1 : 1));
}

/** Beside reserved miners, all others weigh so many times less than they would. */
const reservedFactor = 10_000;

/**
 * The candidates of a session that has reserved some of them: these are drawn first, as good as always, and all others
 * stand by as replacements, so that a pool which falls silent holds nothing up.
 */
export function reservedFirst(found: readonly WeightedNode[], reserved: readonly Address[]): readonly WeightedNode[] {
  if (!found.some(({ node }) => reserved.includes(node))) return found;
  const lighter = (weight: number): number => Math.max(1, Math.floor(weight / reservedFactor));
  return found.map(({ node, weight }) => ({ node, weight: reserved.includes(node) ? weight : lighter(weight) }));
}

/** Miners with as many jobs as they take: the book's, and those chosen here that are not on chain yet. */
export function fullMiners({ book: { nodes }, presence }: Eligibility, { tasks }: SessionContext): Address[] {
  const coming = Object.values(tasks).flatMap(({ value, context }) =>
    value === 'queued' && context.selected ? context.ranking.slice(0, context.redundancy) : [],
  );
  const load = (miner: Address): number => (nodes[miner]?.load ?? 0) + coming.filter((one) => one === miner).length;
  return (Object.keys(nodes) as Address[]).filter(
    (node) => nodes[node]?.roles.includes('miner') === true && load(node) >= presence.capacity(node),
  );
}

/** Whether any active miner that may be chosen, alive or not, has the model by the registry: then waiting may help. */
export function isModelServed({ book }: Eligibility, model: string): boolean {
  return Object.entries(book.nodes).some(
    ([node, { roles, active, served }]) =>
      roles.includes('miner') && active && served.includes(model) && isServed(book, node as Address),
  );
}

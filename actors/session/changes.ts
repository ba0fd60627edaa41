import type { ChainFact, SessionTerms } from '../../src/core/chain-fact.ts';
import { canonicalJson } from '../../src/core/canonical-json.ts';
import type { Address } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import { seenAt } from '../task/events.ts';
import { isPast } from './chain-memory.ts';
import type { SessionChange, SessionUpdated } from './change-events.ts';
import type { SessionContext } from './context.ts';

/** A fact about what a session's owner has changed. */
export type ChangeFact = Extract<ChainFact, { readonly type: SessionChange['type'] }>;

const changeTypes: ReadonlySet<string> = new Set<SessionChange['type']>([
  'SessionUpdated',
  'SessionTransferred',
  'SessionDeactivated',
  'SessionReactivated',
  'SessionRouterAdded',
  'SessionRouterRemoved',
  'SessionMinerAdded',
  'SessionMinerRemoved',
]);

/** Whether a fact is about what a session's owner has changed. */
export function isChange(fact: ChainFact): fact is ChangeFact {
  return changeTypes.has(fact.type);
}

/**
 * What a change on chain leads to; undefined for one that is as it should be already, or was taken long ago. Facts come in
 * chain order, so of the blocks before the newest all were taken, and none of these may be taken twice.
 */
export function changeOf(context: SessionContext, fact: ChangeFact): SessionChange | undefined {
  const { terms } = context;
  if (terms === null || isPast(context, fact.place.block)) return undefined;
  const seen = seenAt(fact.place);
  switch (fact.type) {
    case 'SessionUpdated': {
      const { version } = fact;
      const isKnown = version < context.version || (version === context.version && isSame(terms, fact));
      return isKnown ? undefined : { type: fact.type, version, terms: fact.terms, seen };
    }
    case 'SessionTransferred':
      return context.client === fact.to ? undefined : { type: fact.type, from: fact.from, to: fact.to, seen };
    case 'SessionDeactivated':
      return context.isAtRest ? undefined : { type: fact.type, seen };
    case 'SessionReactivated':
      return context.isAtRest ? { type: fact.type, seen } : undefined;
    case 'SessionRouterAdded':
      return terms.routers.includes(fact.router) ? undefined : { type: fact.type, router: fact.router, seen };
    case 'SessionRouterRemoved':
      return terms.routers.includes(fact.router) ? { type: fact.type, router: fact.router, seen } : undefined;
    case 'SessionMinerAdded':
      return terms.dedicatedMiners.includes(fact.miner) ? undefined : { type: fact.type, miner: fact.miner, seen };
    case 'SessionMinerRemoved':
      return terms.dedicatedMiners.includes(fact.miner) ? { type: fact.type, miner: fact.miner, seen } : undefined;
  }
}

function isSame(terms: SessionTerms, { terms: rules }: ChangeFact & { readonly type: 'SessionUpdated' }): boolean {
  const { routers, dedicatedMiners } = terms;
  return canonicalJson({ ...rules, routers, dedicatedMiners }) === canonicalJson(terms);
}

/**
 * What undoes a change that a reorg has taken back; undefined where there is nothing to undo. The terms before an update
 * are kept for the newest ones (`limits.sessionTermsKept`). Keys that a transfer has ended stay ended.
 */
export function undoOf(context: SessionContext, fact: ChangeFact): SessionChange | undefined {
  const { terms } = context;
  if (terms === null) return undefined;
  const seen = seenAt(fact.place);
  switch (fact.type) {
    case 'SessionUpdated': {
      const before = context.earlierTerms.at(-1);
      if (context.version !== fact.version || before === undefined) return undefined;
      return { type: fact.type, ...before, seen };
    }
    case 'SessionTransferred':
      return context.client === fact.to ? { type: fact.type, from: fact.to, to: fact.from, seen } : undefined;
    case 'SessionDeactivated':
      return context.isAtRest ? { type: 'SessionReactivated', seen } : undefined;
    case 'SessionReactivated':
      return context.isAtRest ? undefined : { type: 'SessionDeactivated', seen };
    case 'SessionRouterAdded':
    case 'SessionRouterRemoved':
      return undoListing(terms.routers, fact.router, fact.type === 'SessionRouterAdded', {
        added: { type: 'SessionRouterAdded', router: fact.router, seen },
        removed: { type: 'SessionRouterRemoved', router: fact.router, seen },
      });
    case 'SessionMinerAdded':
    case 'SessionMinerRemoved':
      return undoListing(terms.dedicatedMiners, fact.miner, fact.type === 'SessionMinerAdded', {
        added: { type: 'SessionMinerAdded', miner: fact.miner, seen },
        removed: { type: 'SessionMinerRemoved', miner: fact.miner, seen },
      });
  }
}

function undoListing(
  list: readonly Address[],
  who: Address,
  wasAdded: boolean,
  { added, removed }: { readonly added: SessionChange; readonly removed: SessionChange },
): SessionChange | undefined {
  if (list.includes(who) !== wasAdded) return undefined;
  return wasAdded ? removed : added;
}

/** The terms with everything that an owner has changed. */
export function changed(context: SessionContext, event: SessionChange): Partial<SessionContext> {
  const { terms } = context;
  if (terms === null) return {};
  switch (event.type) {
    case 'SessionUpdated':
      return updated(context, terms, event);
    case 'SessionTransferred':
      return { client: event.to, apiKeys: [] };
    case 'SessionDeactivated':
      return { isAtRest: true };
    case 'SessionReactivated':
      return { isAtRest: false };
    case 'SessionRouterAdded':
      return { terms: { ...terms, routers: [...terms.routers, event.router] } };
    case 'SessionRouterRemoved':
      return { terms: { ...terms, routers: terms.routers.filter((one) => one !== event.router) } };
    case 'SessionMinerAdded':
      return { terms: { ...terms, dedicatedMiners: [...terms.dedicatedMiners, event.miner] } };
    case 'SessionMinerRemoved':
      return { terms: { ...terms, dedicatedMiners: terms.dedicatedMiners.filter((one) => one !== event.miner) } };
  }
}

/** A version that is newer keeps the one before; one that is older undoes it. */
function updated(context: SessionContext, terms: SessionTerms, event: SessionUpdated): Partial<SessionContext> {
  const { routers, dedicatedMiners, ...rules } = terms;
  const { version } = event;
  const kept = context.earlierTerms.filter((one) => one.version < Math.min(version, context.version));
  const earlierTerms = version > context.version ? [...kept, { version: context.version, terms: rules }] : kept;
  return {
    terms: { ...event.terms, routers, dedicatedMiners },
    version,
    earlierTerms: earlierTerms.slice(-limits.sessionTermsKept),
  };
}

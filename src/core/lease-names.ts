import { type Address, isAddress } from './ids.ts';
import { limits } from './limits.ts';

/** The lease of the router that anchors the log. */
export const anchorLease = 'anchor';

/** What the names of session groups begin and end with. The last part follows every router, so that one pattern is enough for each place. */
const [first, last] = ['sessions', 'end'] as const;

/**
 * The name of the lease on a group of sessions: `sessions.<group>.<router>….end`, with the routers sorted. Each router is a
 * part of its own, so that servers and readers can tell from the name alone who may write there.
 */
export function sessionsLease(group: number, routers: readonly Address[]): string {
  return [first, group, ...new Set(routers.toSorted()), last].join('.');
}

/** Whether a name is one of a group of sessions, whatever follows. */
export function isSessionsLease(name: string): boolean {
  return name.startsWith(`${first}.`);
}

/** The routers that the name of a group of sessions has; none where it is no such name. */
export function routersOfLease(name: string): readonly Address[] {
  const [kind, , ...rest] = name.split('.');
  const routers = rest.slice(0, -1);
  const isName = kind === first && rest.at(-1) === last && routers.length <= limits.sessionRoutersMax;
  return isName && routers.every(isAddress) ? (routers as Address[]) : [];
}

/** Patterns, as subjects have them, that match each lease whose name has a router, and no other. */
export function leasesOfRouter(router: Address): readonly string[] {
  return Array.from({ length: limits.sessionRoutersMax }, (_, place) =>
    [first, '*', ...Array.from({ length: place }, () => '*'), router, '>'].join('.'),
  );
}

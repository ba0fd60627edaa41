import { sha256 } from '../../core/hash.ts';
import type { Address, SessionId } from '../../core/ids.ts';
import { sessionsLease } from '../../core/lease-names.ts';
import { limits } from '../../core/limits.ts';

/** The first 8 hex digits of a hash as a number. */
function bits(text: string): number {
  return Number.parseInt(sha256(text).slice(0, 8), 16);
}

/**
 * The group of sessions that a session is owned with, which is also its lease's name: one of
 * `limits.sessionGroupsPerRouters` for each set of routers. Pure, so that everybody knows where to ask.
 */
export function groupOf(session: SessionId, routers: readonly Address[]): string {
  return sessionsLease(bits(session) % limits.sessionGroupsPerRouters, routers);
}

/** The routers of a group in the order in which they are its owner: by hash, so that groups spread over them. */
export function rankRouters(group: string, routers: readonly Address[]): Address[] {
  const key = (router: Address): string => sha256(`${group}/${router}`);
  return routers.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

import type { Commit } from './commit.ts';
import type { Hex } from './hash.ts';
import { type Address, parseStreamId, type Role } from './ids.ts';

/** What the registry says of a node: its roles and its Ed25519 key. Neither ever changes. */
export interface RegisteredKey {
  readonly roles: readonly Role[];
  readonly key: Hex;
}

/** The registered nodes, looked up by address. */
export type KeysByAddress = Pick<ReadonlyMap<Address, RegisteredKey>, 'get'>;

/**
 * Who may write which stream: a node's own stream is written by that node, a session's by a registered router that its
 * terms name. A valid signature of anybody else is a forgery.
 *
 * @param routers the routers of the session's terms; undefined before the stream has said them.
 * @returns why the author may not have written the commit, undefined where all is well.
 */
export function authorFault(
  commit: Pick<Commit, 'stream' | 'author'>,
  keys: KeysByAddress,
  routers: readonly string[] | undefined,
): string | undefined {
  const { kind, key } = parseStreamId(commit.stream);
  if (kind !== 'session') {
    return key === commit.author ? undefined : `only ${key} writes this stream, the author is ${commit.author}`;
  }
  const roles = keys.get(commit.author)?.roles ?? [];
  if (!roles.includes('router')) {
    return `only routers write sessions, the author ${commit.author} is a ${roles.join(' and ')}`;
  }
  if (routers === undefined || routers.includes(commit.author)) return undefined;
  return `the session's terms do not name the author ${commit.author} among its routers`;
}

/** The routers that a session's first commit names; undefined for a commit that opens no session. */
export function routersOf({ stream, events }: Commit): readonly string[] | undefined {
  if (parseStreamId(stream).kind !== 'session') return undefined;
  const opened = events.find(({ type }) => type === 'SessionOpened');
  const { routers } = (opened?.['terms'] ?? {}) as { readonly routers?: unknown };
  return Array.isArray(routers) ? routers.map(String) : undefined;
}

/**
 * Who may begin a session's stream: its first commit opens the session, and is written by a router that it names. Else
 * whoever may write any session could write the history of one before its routers do.
 *
 * @param opened the routers that the chain has the session opened with; undefined where the chain is not asked.
 * @returns why the commit may not be the first one, undefined where all is well, and for streams of other kinds.
 */
export function openingFault(commit: Commit, opened?: readonly string[]): string | undefined {
  if (parseStreamId(commit.stream).kind !== 'session') return undefined;
  const routers = commit.events[0]?.type === 'SessionOpened' ? routersOf(commit) : undefined;
  if (routers === undefined) return 'the first commit of a session opens it, and this one does not';
  if (!routers.includes(commit.author))
    return `the session's terms do not name the author ${commit.author} among its routers`;
  if (opened === undefined || opened.toSorted().join() === routers.toSorted().join()) return undefined;
  return 'the chain has the session opened with other routers';
}

import type { Commit } from '../core/commit.ts';
import { parseStreamId } from '../core/ids.ts';
import type { RegisteredKeys } from './source.ts';

/**
 * Who may write which stream: a node's own stream is written by that node, a session's by a registered
 * router. A valid signature of anybody else is a forgery.
 *
 * @returns why the author may not have written the commit, undefined where all is well.
 */
export function authorFault(commit: Pick<Commit, 'stream' | 'author'>, keys: RegisteredKeys): string | undefined {
  const { kind, key } = parseStreamId(commit.stream);
  if (kind !== 'session') {
    return key === commit.author ? undefined : `only ${key} writes this stream, the author is ${commit.author}`;
  }
  const role = keys.get(commit.author)?.role;
  return role === 'router' ? undefined : `only routers write sessions, the author ${commit.author} is a ${role}`;
}

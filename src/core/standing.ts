import { routersOf } from './author-rules.ts';
import { type Commit, genesisHash } from './commit.ts';
import type { Address } from './ids.ts';

/** Where a stream stands: all that the next commit is held to. */
export interface Standing {
  readonly version: number;
  readonly hash: string;
  /** The highest fence so far. */
  readonly fence?: number;
  /** Who wrote under it first; of a stream without fences, who wrote first. */
  readonly owner?: Address;
  /** The routers of a session's terms, once a sound commit has named them. */
  readonly routers?: readonly string[];
}

/** Where a stream stands that nobody has written. */
export const unwritten: Standing = { version: 0, hash: genesisHash };

/** Where a stream stands after a commit; what the commit says of its session counts only where the commit is sound. */
export function standingAfter(before: Standing, commit: Commit, isSound: boolean): Standing {
  const { version, hash, author } = commit;
  const fence = Math.max(commit.fence ?? 0, before.fence ?? 0);
  const isNewOwner = before.owner === undefined || fence > (before.fence ?? 0);
  const routers = before.routers ?? (isSound ? routersOf(commit) : undefined);
  return {
    version,
    hash,
    owner: isNewOwner ? author : before.owner,
    ...(fence === 0 ? {} : { fence }),
    ...(routers === undefined ? {} : { routers }),
  };
}

/** Whether a commit has the fence of a lease that another author holds: a lease has one holder. */
export function isShared(
  { author, fence = 0 }: Pick<Commit, 'author' | 'fence'>,
  { owner, fence: highest = 0 }: Standing,
): boolean {
  return owner !== undefined && fence === highest && author !== owner;
}

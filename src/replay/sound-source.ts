import { commitHash } from '../core/commit.ts';
import { PouwError } from '../core/errors.ts';
import type { StoredCommit } from '../ports/event-store.ts';
import { isCommit } from '../core/commit-form.ts';
import type { LogSource } from './source.ts';

/**
 * The same log, whose reader may trust what it reads to be commits with the content they were hashed with.
 * Reading it throws PouwError `commit_damaged` at the first one that is not; who wrote it and what is missing
 * only {@link verifyLog} tells.
 */
export function soundSource(source: LogSource): LogSource {
  return {
    origin: source.origin,
    deployment: source.deployment,
    claims: source.claims,
    heads: () => source.heads(),
    read: (stream, options) => sound(source.origin, source.read(stream, options)),
    readAll: () => sound(source.origin, source.readAll()),
    keys: () => source.keys(),
    anchors: () => source.anchors(),
  };
}

async function* sound(origin: string, commits: AsyncIterable<StoredCommit>): AsyncGenerator<StoredCommit> {
  for await (const stored of commits) {
    if (!isCommit(stored.commit)) throw damaged(origin, stored.position, 'It does not have the form of a commit.');
    if (commitHash(stored.commit) !== stored.commit.hash) {
      const { stream, version } = stored.commit;
      throw damaged(origin, stored.position, `${stream}@${version} does not have the content its hash was made of.`);
    }
    yield stored;
  }
}

function damaged(origin: string, position: number, why: string): PouwError {
  return new PouwError('commit_damaged', `The commit at position ${position} of ${origin} is damaged.`, {
    class: 'corrupt',
    why,
    hint: 'Run `pouw log verify` to see all that is wrong, and restore a backup.',
    details: { position },
  });
}

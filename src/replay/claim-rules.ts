import { isClaimSigned } from '../core/claim.ts';
import type { Commit } from '../core/commit.ts';
import { type Address, parseStreamId, type SessionId, type TaskId } from '../core/ids.ts';
import type { RegisteredKeys } from './source.ts';

/**
 * Whether the claims in a session's commit were made by whom it says: a router can put them in another order than that
 * in which they came, but it can make up none.
 *
 * @returns what is wrong, undefined where all is well.
 */
export function claimFault(
  { stream, events }: Pick<Commit, 'stream' | 'events'>,
  keys: RegisteredKeys,
): string | undefined {
  const { kind, key } = parseStreamId(stream);
  if (kind !== 'session') return undefined;
  for (const event of events) {
    if (event.type !== 'OfferClaimed') continue;
    const { task, place, offer, miner, signature } = event as unknown as ClaimEvent;
    const registered = keys.get(miner);
    if (registered?.roles.includes('miner') !== true)
      return `${miner} has claimed a place of ${task} and is no registered miner`;
    const claim = { session: key as SessionId, task, place, offer, miner };
    if (!isClaimSigned(claim, registered.key, signature))
      return `${miner} has not signed its claim of a place of ${task}`;
  }
  return undefined;
}

interface ClaimEvent {
  readonly task: TaskId;
  readonly place: number;
  readonly offer: string;
  readonly miner: Address;
  readonly signature: string;
}

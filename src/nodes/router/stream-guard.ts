import type { SessionCommand } from '../../../actors/session/decide.ts';
import { errorMessage } from '../../core/errors.ts';
import type { Address, SessionId } from '../../core/ids.ts';
import type { NodeBase } from '../node-base.ts';
import type { Presence } from '../presence.ts';
import type { TaskStream } from '../task-stream.ts';
import type { Feeds } from './feeds.ts';

/** How often streams are looked at. */
const lookMs = 200;
/** A primary that lives but has not gone on for this long while another has is passed over. */
export const stalledAfterMs = 3_000;

/** What the guard stands on. */
export interface StreamGuardOptions {
  readonly base: NodeBase;
  readonly feeds: Feeds;
  readonly presence: Presence;
  readonly owns: (session: SessionId) => boolean;
  readonly dispatch: (session: SessionId, command: SessionCommand, cause: string) => Promise<void>;
}

/**
 * Keeps the clients' streams going: where the miner that is being read dies or stalls, another whose own
 * stream begins with what the client has takes over. Where none does, the oracle's replacement will, from
 * the prefix it is given.
 */
export async function guardStreams({ base, feeds, presence, owns, dispatch }: StreamGuardOptions): Promise<void> {
  const { clock, log } = base.ports;
  while (!base.stopping.aborted) {
    await clock.sleep(lookMs, base.stopping).catch(() => undefined);
    const now = clock.now();
    for (const { session, task, feed } of feeds.flowing()) {
      const { stream } = feed;
      const from = task.context.primary;
      if (from === null || !owns(session) || base.stopping.aborted) continue;
      const live = task.context.slots
        .map((slot) => slot.miner)
        .filter((miner) => miner !== from && presence.isAlive(miner, now));
      const to = takesOver(stream, { from, live, isDead: !presence.isAlive(from, now) }, now);
      if (to === undefined) continue;
      const command: SessionCommand = {
        type: 'ReplacePrimary',
        task: task.context.task,
        to,
        deliveredTokens: stream.delivered.length,
        prefixHash: stream.prefixHash(),
      };
      await dispatch(session, command, `stream:${task.context.task}`).catch((error: unknown) => {
        log.warn('a stream was not handed over', { task: task.context.task, error: errorMessage(error) });
      });
    }
  }
}

/**
 * The miner whose words the client is given from now on, where those of its miner do not go on: it is dead, or stalls while
 * another has come further.
 *
 * @param others `from`, the miner that is being read; `live`, those that could take over.
 */
export function takesOver(
  stream: TaskStream,
  { from, live, isDead }: { readonly from: Address; readonly live: readonly Address[]; readonly isDead: boolean },
  nowMs: number,
): Address | undefined {
  const to = stream.successor(live);
  if (to === undefined || isDead) return to;
  // Of one that has said nothing yet, the other's first words tell since when it could have.
  const sinceMs = stream.seenAt(from) ?? stream.begunAt(to) ?? nowMs;
  return nowMs - sinceMs > stalledAfterMs && stream.progress(to) > stream.delivered.length ? to : undefined;
}

import type { JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from 'nats';
import { limits } from '../../../core/limits.ts';
import { unreachable } from '../nats-errors.ts';
import { declareStream, type WantedStream } from './event-stream.ts';
import { fullOr } from './nats-errors.ts';
import { Reach } from './reach.ts';
import { streamsManager } from '../streams-api.ts';

/** How what stands on JetStream streams gets at them. */
export interface OpenStreams {
  /** To be closed by whoever opened the streams. */
  readonly reach: Reach;
  readonly manager: JetStreamManager;
}

/**
 * Opens streams, and makes those that are missing.
 *
 * @param reachMs how long servers that do not answer are tried to be reached. Default `limits.logReachMsMax`.
 * @throws PouwError `nats_config_ignored`, `nats_unreachable`.
 */
export async function openStreams(
  connection: NatsConnection,
  reachMs: number | undefined,
  wanted: readonly WantedStream[],
): Promise<OpenStreams> {
  const servers = [connection.getServer()];
  const reach = new Reach(connection, {
    reachMs: reachMs ?? limits.logReachMsMax,
    answerMs: limits.logAnswerMsMax,
    unreachable: (_waitedMs, cause) => unreachable(servers, cause),
    closed: (cause) => unreachable(servers, cause),
    explain: fullOr,
  });
  try {
    const manager = await streamsManager(connection, limits.logAnswerMsMax);
    for (const stream of wanted) await reach.answer(() => declareStream(manager, stream));
    return { reach, manager };
  } catch (error) {
    reach.close();
    throw error;
  }
}

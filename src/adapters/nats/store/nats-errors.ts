import { JetStreamApiCodes, JetStreamApiError, JetStreamError } from '@nats-io/jetstream';
import { errors } from 'nats';
import { errorMessage, PouwError, type PouwErrorOptions } from '../../../core/errors.ts';

/** Error codes of JetStream that its client does not name, from the list in the server's `server/errors.json`. */
const jetStream = {
  duplicateInProcess: 10_158,
  storeFailed: 10_077,
  insufficientResources: 10_023,
  noStorageLeft: 10_047,
  streamNameInUse: 10_058,
  consumerThere: 10_148,
  maximumConsumers: 10_026,
} as const;

const serviceUnavailable = 503;
const requestTimeout = 408;

/** Why a request was not answered although it may have arrived: the connection broke. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}

function apiCode(error: unknown): number | undefined {
  return error instanceof JetStreamApiError ? error.code : undefined;
}

/** Whether a compare-and-swap failed because something newer is there. */
export function isWrongSequence(error: unknown): boolean {
  return apiCode(error) === JetStreamApiCodes.StreamWrongLastSequence;
}

/** Whether the server keeps no more messages, by a bound that was set. */
export function isStoreFull(error: unknown): boolean {
  return apiCode(error) === jetStream.storeFailed;
}

/** Whether somebody made a stream of this name with another configuration in the meantime. */
export function isNameInUse(error: unknown): boolean {
  return apiCode(error) === jetStream.streamNameInUse;
}

/** Whether there is a consumer of this name with another configuration. */
export function isConsumerThere(error: unknown): boolean {
  return apiCode(error) === jetStream.consumerThere;
}

/** Whether there is no consumer of this name. */
export function isConsumerMissing(error: unknown): boolean {
  return apiCode(error) === JetStreamApiCodes.ConsumerNotFound;
}

/** Whether there is no such stream. */
export function isStreamMissing(error: unknown): boolean {
  return apiCode(error) === JetStreamApiCodes.StreamNotFound;
}

/** Whether the connection is closed for good. */
export function isClosed(error: unknown): boolean {
  return error instanceof errors.ClosedConnectionError || error instanceof errors.DrainingConnectionError;
}

/** What the client says where a server that sends messages of a stream has gone quiet. */
const heartbeatsMissed = 'heartbeats missed';

/**
 * Whether the same request may succeed a moment later: it was not answered, nobody listened, the servers choose a
 * leader, or another write to the same subject is not decided yet.
 */
export function mayPass(error: unknown): boolean {
  if (error instanceof ConnectionLost || error instanceof errors.TimeoutError) return true;
  if (error instanceof errors.NoRespondersError || isNotEnabled(error)) return true;
  if (error instanceof errors.RequestError) return error.isNoResponders();
  if (error instanceof JetStreamApiError) {
    const undecided: readonly number[] = [
      JetStreamApiCodes.StreamWrongLastSequenceUnknown,
      jetStream.duplicateInProcess,
    ];
    return error.status === serviceUnavailable ? !isFull(error) : undecided.includes(error.code);
  }
  // A server with much to do, for one.
  if (error instanceof JetStreamError && error.message === heartbeatsMissed) return true;
  if (error instanceof JetStreamError && 'code' in error) {
    return error.code === serviceUnavailable || error.code === requestTimeout;
  }
  return false;
}

/** What the client makes of a request that nobody answers; a server that starts is such a one for a moment. */
function isNotEnabled(error: unknown): boolean {
  return error instanceof Error && error.name === 'JetStreamNotEnabled';
}

function isFull(error: unknown): boolean {
  const full: readonly (number | undefined)[] = [
    jetStream.storeFailed,
    jetStream.insufficientResources,
    jetStream.noStorageLeft,
  ];
  return full.includes(apiCode(error));
}

/** The error for a log that did not answer in time. What was asked may have happened or not. */
export function logUnreachable(log: string, waitedMs: number, cause: unknown): PouwError {
  return new PouwError('log_unreachable', `The event log ${log} on NATS did not answer for ${waitedMs} ms.`, {
    class: 'unavailable',
    why: errorMessage(cause),
    hint: 'Check the NATS servers; the same request can be repeated without harm.',
    cause,
  });
}

/** The error for a log that was closed, or whose connection was. */
export function logClosed(log: string, cause?: unknown): PouwError {
  return new PouwError('log_closed', `The event log ${log} on NATS is closed.`, { class: 'unavailable', cause });
}

/** The error for a reader of the whole log whose key lets it read single streams only. */
export function logRestricted(log: string): PouwError {
  return new PouwError('log_restricted', `This node may read single streams of the event log ${log}, not all of it.`, {
    class: 'forbidden',
    why: 'The NATS servers give each role only the subjects it needs.',
    hint: 'Use the key of a router or of an observer.',
  });
}

/** The error for something in the log that is no commit of ours. `details` says where, for programs. */
export function logCorrupt(
  log: string,
  why: string,
  options: Pick<PouwErrorOptions, 'cause' | 'details'> = {},
): PouwError {
  return new PouwError('log_corrupt', `The event log ${log} on NATS is damaged.`, {
    ...options,
    class: 'corrupt',
    why,
    hint: 'Find the damage with `pouw log verify`, and who may publish to the subjects of the log.',
  });
}

/** The error for commits that were there and are gone: a server lost its disk, or its last writes. */
export function logGap(log: string, why: string, details: Readonly<Record<string, unknown>>): PouwError {
  return new PouwError('log_gap', `Commits are missing from the event log ${log} on NATS.`, {
    class: 'corrupt',
    why,
    hint: 'Compare the log with an export or the anchors on chain (`pouw log verify`), and restore the stream.',
    details,
  });
}

/** The error for servers without room; anything else stays what it is, a bound that was set on a stream among it. */
export function fullOr(error: unknown): unknown {
  if (!isFull(error) || isStoreFull(error)) return error;
  return new PouwError('disk_full', 'The NATS servers have no room left.', {
    class: 'unavailable',
    why: errorMessage(error),
    hint: 'Give JetStream more room; nothing that was acknowledged is lost.',
    cause: error,
  });
}

/** Turns what the NATS client throws about a log into a PouwError; anything else stays what it is. */
export function logError(log: string, error: unknown): unknown {
  if (isClosed(error)) return logClosed(log, error);
  if (isStreamMissing(error)) {
    return new PouwError('log_not_found', `There is no event log ${log} on these NATS servers.`, {
      class: 'not-found',
      hint: 'Check the address and the account, or let the first node make the log.',
      cause: error,
    });
  }
  if (apiCode(error) === jetStream.maximumConsumers) {
    return new PouwError('nats_consumers_full', `The NATS servers let nobody make another consumer on ${log}.`, {
      class: 'unavailable',
      why: errorMessage(error),
      hint: 'See whose they are with `nats consumer list`; consumers that nobody uses go by themselves.',
      cause: error,
    });
  }
  if (isFull(error)) {
    return new PouwError('disk_full', `The NATS servers have no room left for the event log ${log}.`, {
      class: 'unavailable',
      why: errorMessage(error),
      hint: 'Give JetStream more room; nothing that was acknowledged is lost.',
      cause: error,
    });
  }
  return error;
}

import type { FastifyRequest } from 'fastify';
import type { SessionId, TaskId } from '../core/ids.ts';
import type { Clock } from '../ports/clock.ts';

/** One line of the gateway's log. */
export interface GatewayRecord {
  /** `answered` once per request; `failed` beside it where something went wrong that is not the client's doing. */
  readonly event: 'answered' | 'failed';
  /** The answer's `x-request-id`. */
  readonly requestId: string;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** Of an answer: the HTTP status, 499 where the client left before it was complete. */
  readonly status?: number;
  /** Milliseconds since the request's headers. */
  readonly tookMs: number;
  readonly session?: SessionId;
  /** The task it was about; left out where there were several. */
  readonly task?: TaskId;
  /** What went wrong, with its stack: for the operator, never for the client. */
  readonly error?: unknown;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** When the request's headers came, milliseconds since 1970. */
    startedAt: number;
  }
}

/** Nginx's status for a client that left; it is only ever logged. */
const clientClosedRequest = 499;

/** Tells the operator about requests. */
export class RequestLog {
  readonly #clock: Clock;
  readonly #write: (record: GatewayRecord) => void;

  constructor(clock: Clock, write: (record: GatewayRecord) => void) {
    this.#clock = clock;
    this.#write = write;
  }

  /** An answer was sent, or its client left; says under which status it is noted. */
  answered(request: FastifyRequest, sent: number, complete: boolean): number {
    const status = complete ? sent : clientClosedRequest;
    this.#write({ event: 'answered', ...this.#about(request), status });
    return status;
  }

  /** Something went wrong on our side. */
  failed(request: FastifyRequest, error: unknown): void {
    this.#write({ event: 'failed', ...this.#about(request), error });
  }

  #about(
    request: FastifyRequest,
  ): Pick<GatewayRecord, 'requestId' | 'method' | 'path' | 'tookMs' | 'session' | 'task'> {
    const session = request.exchange?.session;
    const [task, ...others] = request.watched?.tasks ?? [];
    return {
      requestId: request.id,
      method: request.method,
      path: request.url.split('?', 1)[0] ?? '',
      tookMs: this.#clock.now() - request.startedAt,
      ...(session === undefined ? {} : { session }),
      ...(task === undefined || others.length > 0 ? {} : { task }),
    };
  }
}

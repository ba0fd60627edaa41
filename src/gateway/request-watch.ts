import type { FastifyRequest } from 'fastify';
import type { TaskId } from '../core/ids.ts';
import { parseTraceparent, rootSpanOf, type SpanId } from '../core/trace-ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Metrics } from '../ports/metrics.ts';
import type { Tracer } from '../ports/tracer.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What is watched of a request; null before its headers were looked at. */
    watched: WatchedRequest | null;
  }
}

/** What is watched of one request. */
export interface WatchedRequest {
  /** Its span. */
  readonly id: SpanId;
  /** The tasks it is about, whose traces it belongs to. */
  readonly tasks: Set<TaskId>;
  hasAnswered: boolean;
}

/** The role of the gateway in traces. */
const role = 'gateway';

/** Measures requests, and records them in the traces of the tasks that they are about. */
export class RequestWatch {
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  readonly #tracer: Tracer;
  readonly #streams = { sse: 0, websocket: 0 };

  constructor(clock: Clock, metrics: Metrics, tracer: Tracer) {
    this.#clock = clock;
    this.#metrics = metrics;
    this.#tracer = tracer;
  }

  /** A request's headers have come. */
  begin(request: FastifyRequest): void {
    request.watched = { id: this.#tracer.newSpan(), tasks: new Set(), hasAnswered: false };
  }

  /** Does something for a request, so that the tasks it submits know where they come from. */
  within<T>(request: FastifyRequest, run: () => T): T {
    const { watched } = request;
    if (watched === null || !this.#tracer.enabled) return run();
    const span = {
      id: watched.id,
      role,
      startMs: request.startedAt,
      onTask: (task: TaskId) => watched.tasks.add(task),
    };
    return this.#tracer.within(span, run);
  }

  /** The request is about a task. */
  about(request: FastifyRequest, task: TaskId): void {
    request.watched?.tasks.add(task);
  }

  /** The first words of a streamed answer go out. */
  words(request: FastifyRequest): void {
    if (request.watched === null || request.watched.hasAnswered) return;
    request.watched.hasAnswered = true;
    const seconds = (this.#clock.now() - request.startedAt) / 1_000;
    this.#metrics.observe('pouw_http_first_token_seconds', { route: routeOf(request) }, seconds);
  }

  /** A stream begins; what is returned says that it has ended. */
  stream(protocol: 'sse' | 'websocket'): () => void {
    this.#count(protocol, 1);
    let isOpen = true;
    return () => {
      if (isOpen) this.#count(protocol, -1);
      isOpen = false;
    };
  }

  /** An answer was sent, or its client left. */
  answered(request: FastifyRequest, status: number): void {
    const { method } = request;
    const route = routeOf(request);
    const endMs = this.#clock.now();
    this.#metrics.add('pouw_http_requests_total', { method, route, status: String(status) });
    const seconds = (endMs - request.startedAt) / 1_000;
    this.#metrics.observe('pouw_http_request_duration_seconds', { method, route }, seconds);
    if (!this.#tracer.enabled || request.watched === null) return;
    const { id, tasks } = request.watched;
    const from = parseTraceparent(request.headers.traceparent?.toString());
    for (const task of tasks) {
      this.#tracer.record({
        task,
        id,
        parent: rootSpanOf(task),
        role,
        name: `${method} ${route}`,
        kind: 'server',
        startMs: request.startedAt,
        endMs,
        attributes: {
          'http.request.method': method,
          'http.route': route,
          'http.response.status_code': status,
          'pouw.request.id': request.id,
        },
        ...(status >= 500 ? { error: String(status) } : {}),
        ...(from === undefined ? {} : { links: [from] }),
      });
    }
  }

  #count(protocol: 'sse' | 'websocket', by: 1 | -1): void {
    this.#streams[protocol] += by;
    this.#metrics.set('pouw_http_streams_open', { protocol }, this.#streams[protocol]);
  }
}

/** The route's template, `/v1/tasks/:task`: few values, whatever is asked for. */
function routeOf(request: FastifyRequest): string {
  return request.is404 ? 'none' : (request.routeOptions.url ?? 'none');
}

import type { TaskId } from '../core/ids.ts';
import type { RemoteSpan, SpanId } from '../core/trace-ids.ts';

/** Who does what a span shows. */
export interface SpanActor {
  /** `gateway`, or the role of a node. */
  readonly role: string;
  /** The node's address; absent at the gateway. */
  readonly node?: string;
}

/** Something that was done for a task, once it is over. */
export interface SpanRecord extends SpanActor {
  readonly task: TaskId;
  readonly id: SpanId;
  /** The span that led to this one; absent for the root. */
  readonly parent?: SpanId;
  readonly name: string;
  /** `server` answers somebody, `client` waits for somebody, `internal` does neither. */
  readonly kind: 'server' | 'client' | 'internal';
  /** Milliseconds since 1970. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
  /** The code of what went wrong; absent where nothing did. */
  readonly error?: string;
  /** Spans of other traces that this one belongs to as well. */
  readonly links?: readonly RemoteSpan[];
}

/** What is being done now: the parent of whatever is begun meanwhile. */
export interface ActiveSpan extends Partial<SpanActor> {
  readonly id: SpanId;
  /** Absent while it is not known: a request begins before its task. */
  readonly task?: TaskId;
  /** When it began, milliseconds since 1970, where a task may begin with it. */
  readonly startMs?: number;
  /** Told of tasks that were submitted within the span. */
  readonly onTask?: (task: TaskId) => void;
}

/**
 * Records what was done for tasks. Recording is cheap, never throws and never waits. Spans are told once they are over
 * and name their parents by ids that follow from the task, so that nothing has to be kept open or handed on.
 */
export interface Tracer {
  /** False where nothing is recorded: then there is no need to find out what would be. */
  readonly enabled: boolean;
  record(span: SpanRecord): void;
  /** A new id, for spans that nothing names. */
  newSpan(): SpanId;
  /** Does something within a span, or within none; it holds for all that is awaited there. */
  within<T>(span: ActiveSpan | undefined, run: () => T): T;
  /** The span that this is done within. */
  active(): ActiveSpan | undefined;
}

/** Records nothing. */
export const silentTracer: Tracer = {
  enabled: false,
  record: () => {},
  newSpan: () => '' as SpanId,
  within: (_, run) => run(),
  active: () => undefined,
};

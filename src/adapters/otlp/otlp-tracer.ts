import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Tracer as OtelTracer,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  BatchSpanProcessor,
  type IdGenerator,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { limits } from '../../core/limits.ts';
import { rootSpanOf, type SpanId, traceIdOf } from '../../core/trace-ids.ts';
import type { ActiveSpan, SpanRecord, Tracer } from '../../ports/tracer.ts';
import { tellOfChanges } from './export-outcome.ts';

/** Where traces go. */
export interface OtlpTracerOptions {
  /** The collector's base address; default what OpenTelemetry's environment variables say. */
  readonly endpoint?: string;
  /** The share of tasks that are traced, 0 to 1; decided by the task's id, so alike in every process. Default 1. */
  readonly ratio?: number;
  /** Of this pouw. */
  readonly version: string;
  /** Told when an export fails, and when exports succeed again. */
  readonly onExport?: (state: 'failing' | 'working', reason: string) => void;
}

/** A tracer that has to be closed. */
export interface OtlpTracer extends Tracer {
  /** Exports what is recorded; ends early where the collector does not take it. */
  close(): Promise<void>;
}

const spanKinds = { server: SpanKind.SERVER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL } as const;

/**
 * Traces by OpenTelemetry, exported in batches as OTLP over HTTP. Each role is a service of its own, `pouw-router`,
 * also where one process has them all.
 *
 * @example
 * const tracer = openOtlpTracer({ endpoint: 'http://127.0.0.1:4318', version: '0.1.0' });
 * tracer.record({ task, id: rootSpanOf(task), name: 'task', kind: 'internal', role: 'router', startMs, endMs });
 * await tracer.close();
 */
export function openOtlpTracer({ endpoint, ratio = 1, version, onExport }: OtlpTracerOptions): OtlpTracer {
  const url = endpoint === undefined ? {} : { url: `${endpoint.replace(/\/+$/, '')}/v1/traces` };
  const exporter: SpanExporter = tellOfChanges(new OTLPTraceExporter(url), onExport ?? (() => {}));
  const processor = new BatchSpanProcessor({
    exporter,
    maxQueueSize: limits.tracePendingSpansMax,
    maxExportBatchSize: limits.traceBatchSpansMax,
  });
  const ids = new GivenIds();
  const sampler = new TraceIdRatioBasedSampler(ratio);
  const services = new Map<string, OtelTracer>();
  const serviceOf = (role: string): OtelTracer => {
    let service = services.get(role);
    if (service === undefined) {
      const resource = resourceFromAttributes({ 'service.name': `pouw-${role}`, 'service.version': version });
      const provider = new TracerProvider({ resource, sampler, idGenerator: ids, spanProcessors: [processor] });
      service = provider.getTracer('pouw', version);
      services.set(role, service);
    }
    return service;
  };
  let closing: Promise<void> | undefined;
  const storage = new AsyncLocalStorage<ActiveSpan | undefined>();
  return {
    enabled: true,
    record: (span) => {
      // One without times could not be written, and all that are exported together with it would be lost.
      if (Number.isFinite(span.startMs) && Number.isFinite(span.endMs)) record(serviceOf(span.role), ids, span);
    },
    newSpan: () => randomBytes(8).toString('hex') as SpanId,
    within: (span, run) => storage.run(span, run),
    active: () => storage.getStore(),
    close: () => (closing ??= within(limits.traceFlushMsMax, processor.shutdown())),
  };
}

function record(service: OtelTracer, ids: GivenIds, span: SpanRecord): void {
  const { task, id, parent, name, kind, startMs, endMs, node, attributes = {}, error, links = [] } = span;
  const traceId = traceIdOf(task);
  const isRoot = parent === undefined || id === rootSpanOf(task);
  const parentContext = isRoot
    ? ROOT_CONTEXT
    : trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: parent, traceFlags: TraceFlags.SAMPLED, isRemote: true });
  ids.give(traceId, id);
  const begun = service.startSpan(
    name,
    {
      kind: spanKinds[kind],
      startTime: startMs,
      attributes: { ...attributes, ...(node === undefined ? {} : { 'pouw.node': node }) },
      links: links.map((link) => ({
        context: { traceId: link.traceId, spanId: link.id, traceFlags: TraceFlags.SAMPLED, isRemote: true },
      })),
    },
    parentContext,
  );
  if (error !== undefined) begun.setStatus({ code: SpanStatusCode.ERROR, message: error });
  begun.end(Math.max(startMs, endMs));
}

/** Hands the SDK the ids that follow from the task, in place of drawn ones. */
class GivenIds implements IdGenerator {
  #traceId = '';
  #spanId = '';

  give(traceId: string, spanId: string): void {
    this.#traceId = traceId;
    this.#spanId = spanId;
  }

  generateTraceId(): string {
    return this.#traceId;
  }

  generateSpanId(): string {
    return this.#spanId;
  }
}

/** Ends with the work or after a time, whichever comes first; what fails has been told already. */
async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work.catch(() => undefined), late]);
  clearTimeout(timer);
}

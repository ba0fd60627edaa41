import { parseTraceparent, traceparent } from '../core/trace-ids.ts';
import type { Bus, BusHeaders, BusMessage } from '../ports/bus.ts';
import type { Tracer } from '../ports/tracer.ts';
import { decorate } from './decorate.ts';
import { subjectKind } from './subject-kind.ts';

/** The header of W3C Trace Context. */
export const traceHeader = 'traceparent';

/**
 * A bus whose commands say which span they come from, and are handled within it. Tokens and heartbeats carry nothing:
 * there are too many of them, and nothing is done for them that would be traced.
 */
export function traceBus(bus: Bus, tracer: Tracer): Bus {
  const headersFor = (subject: string, headers: BusHeaders | undefined): { readonly headers?: BusHeaders } => {
    const active = tracer.active();
    const isTraced = active?.task !== undefined && subjectKind(subject).kind === 'command';
    if (!isTraced) return headers === undefined ? {} : { headers };
    return { headers: { ...headers, [traceHeader]: traceparent(active.task, active.id) } };
  };
  return decorate(bus, {
    publish: (subject, data, options) =>
      bus.publish(subject, data, { ...options, ...headersFor(subject, options?.headers) }),
    request: (subject, data, options) =>
      bus.request(subject, data, { ...options, ...headersFor(subject, options.headers) }),
    subscribe: (subject, handler, options) =>
      // Without a header it is handled within no span: not in that of somebody whose message came before.
      bus.subscribe(subject, (message) => tracer.within(spanOf(message), () => handler(message)), options),
  });
}

function spanOf({ headers }: BusMessage): ReturnType<Tracer['active']> {
  const span = parseTraceparent(headers?.[traceHeader]);
  return span === undefined ? undefined : { id: span.id };
}

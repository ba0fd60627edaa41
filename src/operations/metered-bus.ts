import { errorCode } from '../core/errors.ts';
import { decodeReply } from '../messages/envelope.ts';
import type { Bus, BusMessage } from '../ports/bus.ts';
import type { Metrics } from '../ports/metrics.ts';
import { decorate } from './decorate.ts';
import { type SubjectKind, subjectKind } from './subject-kind.ts';

type Handler = (message: BusMessage) => void | Promise<void>;

/** A bus that counts what is sent, received and dropped, and measures requests on both sides. */
export function meterBus(bus: Bus, metrics: Metrics): Bus {
  return decorate(bus, {
    publish: (subject, data, ...rest) => {
      const { kind } = subjectKind(subject);
      try {
        bus.publish(subject, data, ...rest);
      } catch (error) {
        metrics.add('pouw_bus_dropped_total', { kind, code: errorCode(error) });
        throw error;
      }
      metrics.add('pouw_bus_published_total', { kind });
      metrics.add('pouw_bus_published_bytes_total', { kind }, data.byteLength);
    },
    request: async (subject, data, options) => {
      const { kind, verb } = subjectKind(subject);
      const seconds = metrics.timer();
      metrics.add('pouw_bus_published_total', { kind });
      metrics.add('pouw_bus_published_bytes_total', { kind }, data.byteLength);
      let code = 'ok';
      try {
        return await bus.request(subject, data, options);
      } catch (error) {
        code = errorCode(error);
        throw error;
      } finally {
        metrics.observe('pouw_bus_request_duration_seconds', { verb, code }, seconds());
      }
    },
    subscribe: (subject, handler, options = {}) => {
      const subscribed = subjectKind(subject);
      const { kind } = subscribed;
      const { perSender } = options;
      const onExcess = (sender: string, dropped: number): void => {
        metrics.add('pouw_bus_dropped_total', { kind, code: 'sender_excess' }, dropped);
        metrics.add('pouw_bus_excess_total', { kind, sender }, dropped);
        perSender?.onExcess?.(sender, dropped);
      };
      const onShutOut = (sender: string): void => {
        metrics.add('pouw_bus_shut_outs_total', { kind, sender });
        perSender?.onShutOut?.(sender);
      };
      const counted: Handler = (message) => {
        metrics.add('pouw_bus_received_total', { kind });
        return handler(message);
      };
      return bus.subscribe(subject, kind === 'command' ? answered(counted, subscribed, metrics) : counted, {
        ...options,
        ...(perSender === undefined ? {} : { perSender: { ...perSender, onExcess, onShutOut } }),
        onSlow: (dropped) => {
          metrics.add('pouw_bus_dropped_total', { kind, code: 'slow_subscriber' }, dropped);
          options.onSlow?.(dropped);
        },
      });
    },
  });
}

/** Measures how long a request takes to be answered, and what with: also where the answer comes after its handler. */
function answered(handler: Handler, { role, verb }: SubjectKind, metrics: Metrics): Handler {
  return (message) => {
    const seconds = metrics.timer();
    const { subject, data, headers } = message;
    let isCounted = false;
    const count = (code: string): void => {
      if (isCounted) return;
      isCounted = true;
      metrics.add('pouw_requests_total', { role, verb, code });
      metrics.observe('pouw_request_duration_seconds', { role, verb }, seconds());
    };
    const respond = (answer: Uint8Array): void => {
      message.respond(answer);
      count(codeOf(subject, answer));
    };
    const handled = handler({ subject, data, ...(headers === undefined ? {} : { headers }), respond });
    return handled === undefined ? undefined : handled.finally(() => count('no_answer'));
  };
}

function codeOf(subject: string, answer: Uint8Array): string {
  try {
    const reply = decodeReply(subject, answer);
    return reply.ok ? 'ok' : reply.code;
  } catch (error) {
    return errorCode(error);
  }
}

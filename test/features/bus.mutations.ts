import type { Bus, BusHeaders, BusMessage, SubscribeOptions } from '../../src/ports/bus.ts';
import type { Mutation } from './feature.ts';

type Handler = (message: BusMessage) => void | Promise<void>;

/** A bus that behaves as another one but for what is overridden. */
function over(bus: Bus, overrides: Partial<Bus>): Bus {
  return {
    publish: (subject, data, options) => bus.publish(subject, data, options),
    subscribe: (subject, handler, options) => bus.subscribe(subject, handler, options),
    request: (subject, data, options) => bus.request(subject, data, options),
    drain: () => bus.drain(),
    ...overrides,
  };
}

function subscribing(wrap: (handler: Handler, subject: string) => Handler) {
  return (bus: Bus): Bus =>
    over(bus, { subscribe: (subject, handler, options) => bus.subscribe(subject, wrap(handler, subject), options) });
}

function withOptions(change: (options: SubscribeOptions) => SubscribeOptions) {
  return (bus: Bus): Bus =>
    over(bus, { subscribe: (subject, handler, options = {}) => bus.subscribe(subject, handler, change(options)) });
}

/** Holds each message back until the next one has been handled. */
function swapPairs(handler: Handler): Handler {
  let held: BusMessage | undefined;
  return async (message) => {
    if (held === undefined) {
      held = message;
      return;
    }
    const first = held;
    held = undefined;
    await handler(message);
    await handler(first);
  };
}

const deliveryMutations: readonly Mutation<Bus>[] = [
  {
    name: 'loses every tenth message',
    caughtBy: ['keeps the order of a publisher over all subjects of a subscriber', 'drops nothing up to the bound'],
    mutate: subscribing((handler) => {
      let count = 0;
      return (message) => (++count % 10 === 0 ? undefined : handler(message));
    }),
  },
  {
    name: 'delivers a message twice',
    caughtBy: ['delivers a message to every subscriber of its subject and to nobody else'],
    mutate: subscribing((handler) => async (message) => {
      await handler(message);
      await handler(message);
    }),
  },
  {
    name: 'swaps neighbours',
    caughtBy: ['keeps the order of a publisher over all subjects of a subscriber'],
    mutate: subscribing(swapPairs),
  },
  {
    name: 'takes > for one token',
    caughtBy: ['takes * for one token and a last > for one or more'],
    mutate: (bus) =>
      over(bus, {
        subscribe: (subject, handler, options) => bus.subscribe(subject.replace(/>$/, '*'), handler, options),
      }),
  },
  {
    name: 'takes * for the rest',
    caughtBy: ['takes * for one token and a last > for one or more'],
    mutate: (bus) =>
      over(bus, {
        subscribe: (subject, handler, options) => bus.subscribe(subject.replace(/\*$/, '>'), handler, options),
      }),
  },
  {
    name: 'hides that a subject is malformed',
    caughtBy: ['refuses malformed subjects and patterns'],
    mutate: (bus) =>
      over(bus, { publish: (subject, data) => (subject.includes('*') ? undefined : bus.publish(subject, data)) }),
  },
  {
    name: 'calls handlers inside publish',
    caughtBy: ['never calls a handler inside publish'],
    mutate: (bus) => {
      const handlers = new Map<string, Handler>();
      return over(bus, {
        subscribe: (subject, handler, options) => {
          handlers.set(subject, handler);
          return bus.subscribe(subject, handler, options);
        },
        publish: (subject, data) => void handlers.get(subject)?.({ subject, data, respond: () => undefined }),
      });
    },
  },
  {
    name: 'calls a handler before it is through with the message before',
    caughtBy: ['calls a handler with one message at a time'],
    mutate: subscribing((handler) => (message) => void handler(message)),
  },
  {
    name: 'shares bytes between publisher and subscribers',
    caughtBy: ['gives each subscriber bytes of its own, as they were when they were published'],
    mutate: (bus) => {
      let shared: Uint8Array = new Uint8Array();
      return over(bus, {
        publish: (subject, data) => {
          shared = data;
          bus.publish(subject, data);
        },
        subscribe: (subject, handler, options) =>
          bus.subscribe(subject, (message) => handler({ ...message, data: shared }), options),
      });
    },
  },
  {
    name: 'swallows what handlers throw',
    caughtBy: ['goes on after a handler has thrown or rejected, and reports it'],
    mutate: subscribing((handler) => async (message) => {
      try {
        await handler(message);
      } catch {
        // Swallowed: this is the mutation.
      }
    }),
  },
];

const subscriptionMutations: readonly Mutation<Bus>[] = [
  {
    name: 'knows no queue groups',
    caughtBy: [
      'gives a message to one member of each queue group and to all others',
      'counts members with different patterns as one group',
      'asks one member of a queue group',
    ],
    mutate: withOptions(({ queue: _queue, ...options }) => options),
  },
  {
    name: 'takes all subscribers for one group',
    caughtBy: [
      'gives a message to one member of each queue group and to all others',
      'delivers a message to every subscriber of its subject and to nobody else',
    ],
    mutate: withOptions((options) => ({ ...options, queue: 'all' })),
  },
  {
    name: 'keeps groups apart by pattern',
    caughtBy: ['counts members with different patterns as one group'],
    mutate: (bus) =>
      over(bus, {
        subscribe: (subject, handler, options = {}) =>
          bus.subscribe(subject, handler, { ...options, ...(options.queue === undefined ? {} : { queue: subject }) }),
      }),
  },
  {
    name: 'has no bound for buffers',
    caughtBy: ['drops the oldest messages of a full buffer and tells the slow subscriber how many'],
    mutate: withOptions(({ maxPending: _maxPending, ...options }) => options),
  },
  {
    name: 'does not tell that it dropped messages',
    caughtBy: ['drops the oldest messages of a full buffer and tells the slow subscriber how many'],
    mutate: withOptions(({ onSlow: _onSlow, ...options }) => options),
  },
  {
    name: 'has room for one message less',
    caughtBy: ['drops nothing up to the bound'],
    mutate: withOptions((options) => ({
      ...options,
      ...(options.maxPending === undefined ? {} : { maxPending: options.maxPending - 1 }),
    })),
  },
  {
    name: 'takes everything of everybody',
    caughtBy: ['takes of each sender what it may send at once, and tells how much more there was'],
    mutate: withOptions(({ perSender: _perSender, ...options }) => options),
  },
  {
    name: 'takes one more of a sender than it may',
    caughtBy: ['takes of each sender what it may send at once, and tells how much more there was'],
    mutate: withOptions((options) => ({
      ...options,
      ...(options.perSender && { perSender: { ...options.perSender, atOnce: options.perSender.atOnce + 1 } }),
    })),
  },
  {
    name: 'never forgives',
    caughtBy: ['lets a sender send on as time passes'],
    mutate: withOptions((options) => ({
      ...options,
      ...(options.perSender && { perSender: { ...options.perSender, perS: 1e-9 } }),
    })),
  },
  {
    name: 'goes on delivering to a closed subscription',
    caughtBy: [
      'calls no handler once its subscription is closed, and waits for the one that runs',
      'says at once that nobody listens, and says so again when they have left',
      'gives the work of a member that leaves to those who stay',
    ],
    mutate: (bus) =>
      over(bus, {
        subscribe: (subject, handler, options) => {
          bus.subscribe(subject, handler, options);
          return { close: () => Promise.resolve() };
        },
      }),
  },
  {
    name: 'closes without draining',
    caughtBy: ['handles what was published before a drain, then refuses more'],
    mutate: (bus) => {
      let draining = false;
      return over(bus, {
        subscribe: (subject, handler, options) =>
          bus.subscribe(subject, (message) => (draining ? undefined : handler(message)), options),
        drain: () => {
          draining = true;
          return bus.drain();
        },
      });
    },
  },
];

const requestMutations: readonly Mutation<Bus>[] = [
  {
    name: 'takes the last answer',
    caughtBy: ['takes the first answer and drops the others'],
    mutate: subscribing((handler) => async (message) => {
      let last: Uint8Array | undefined;
      await handler({
        ...message,
        respond: (data) => {
          last = data;
        },
      });
      if (last !== undefined) message.respond(last);
    }),
  },
  {
    name: 'lets requests to nobody time out',
    caughtBy: ['says at once that nobody listens, and says so again when they have left'],
    mutate: (bus) => {
      bus.subscribe('cmd.nobody', () => undefined);
      return over(bus, {
        request: (subject, data, options) =>
          bus.request(subject, data, { ...options, timeoutMs: Math.min(options.timeoutMs, 100) }),
      });
    },
  },
  {
    name: 'times out too early',
    caughtBy: ['times a request out, and drops an answer that comes too late'],
    mutate: (bus) =>
      over(bus, {
        request: (subject, data, options) => bus.request(subject, data, { ...options, timeoutMs: 1 }),
      }),
  },
  {
    name: 'ignores signals',
    caughtBy: ['gives a request up when its signal says so'],
    mutate: (bus) => over(bus, { request: (subject, data) => bus.request(subject, data, { timeoutMs: 100 }) }),
  },
  {
    name: 'mixes answers up',
    caughtBy: ['keeps the answers of concurrent requests apart'],
    mutate: subscribing((handler) => {
      let previous: BusMessage['respond'] | undefined;
      return (message) => {
        const respond = previous ?? message.respond;
        previous = message.respond;
        return handler({ ...message, respond });
      };
    }),
  },
];

const headerMutations: readonly Mutation<Bus>[] = [
  {
    name: 'loses headers',
    caughtBy: ['carries headers beside the data of messages and requests'],
    mutate: (bus) => over(bus, { publish: (subject, data) => bus.publish(subject, data) }),
  },
  {
    name: 'loses headers of requests',
    caughtBy: ['carries headers beside the data of messages and requests', 'refuses headers that cannot be carried'],
    mutate: (bus) =>
      over(bus, { request: (subject, data, { headers: _, ...options }) => bus.request(subject, data, options) }),
  },
  {
    name: 'shares headers with the publisher',
    caughtBy: ['gives headers as they were when they were published'],
    mutate: (bus) => {
      let shared: BusHeaders | undefined;
      return over(bus, {
        publish: (subject, data, options) => {
          shared = options?.headers;
          bus.publish(subject, data, options);
        },
        subscribe: (subject, handler, options) =>
          bus.subscribe(subject, (message) => handler({ ...message, ...(shared && { headers: shared }) }), options),
      });
    },
  },
  {
    name: 'drops headers that it should refuse',
    caughtBy: ['refuses headers that cannot be carried'],
    mutate: (bus) =>
      over(bus, {
        publish: (subject, data, { headers } = {}) => {
          const good = Object.entries(headers ?? {}).filter(([name]) => /^\w+$/.test(name));
          bus.publish(subject, data, { headers: Object.fromEntries(good) });
        },
      }),
  },
];

/** Every mutation the features are proven on. */
export const busMutations: readonly Mutation<Bus>[] = [
  ...deliveryMutations,
  ...subscriptionMutations,
  ...requestMutations,
  ...headerMutations,
];

import { limits } from '../../core/limits.ts';
import type { Bus, BusHeaders, BusMessage, PublishOptions, RequestOptions, SubscribeOptions } from '../../ports/bus.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Subscription } from '../../ports/event-store.ts';
import { busClosed, noResponders } from '../bus/bus-errors.ts';
import type { BusInbox } from '../bus/bus-inbox.ts';
import { Deliveries } from '../bus/deliveries.ts';
import { checkHeaders, checkMessageSize } from '../bus/message-bounds.ts';
import { PendingRequests } from '../bus/pending-requests.ts';
import { checkSubject, checkSubjectPattern } from '../bus/subject.ts';
import { reportError } from './report-error.ts';
import { SubjectTrie } from './subject-trie.ts';
import { systemClock } from './system-clock.ts';

/** How to make a bus; everything has a default. */
export interface LocalBusOptions {
  /** Times requests out; default the system's. */
  readonly clock?: Clock;
  /** Runs something soon, after what runs now; default `setImmediate`. A simulator hands in its own. */
  readonly schedule?: (run: () => void) => void;
  /** Told what a handler threw, and on which message; default a process warning. */
  readonly onError?: (error: unknown, about: { subject: string; pattern: string }) => void;
}

/** Who gets the messages of one subject. */
interface Receivers {
  readonly plain: readonly BusInbox[];
  /** One list per queue group, whatever patterns its members used. */
  readonly groups: readonly (readonly [queue: string, members: readonly BusInbox[]])[];
}

const ignore = (): void => undefined;

/**
 * A bus inside one process, with the semantics of core NATS. Beyond the port it fixes what NATS leaves open:
 * queue groups go round; a full buffer loses its oldest message; answers go to the requester alone and are not
 * seen by wildcards. Handlers run from the event loop, never inside `publish`, and get bytes of their own.
 */
export function createLocalBus(options: LocalBusOptions = {}): Bus {
  return new LocalBus(options);
}

class LocalBus implements Bus {
  readonly #deliveries: Deliveries;
  readonly #requests: PendingRequests;
  readonly #trie = new SubjectTrie<BusInbox>();
  readonly #inboxes = new Set<BusInbox>();
  readonly #receivers = new Map<string, Receivers>();
  readonly #turns = new Map<string, number>();
  #state: 'open' | 'draining' | 'closed' = 'open';
  #drained: Promise<void> | undefined;

  constructor(options: LocalBusOptions) {
    const clock = options.clock ?? systemClock;
    const schedule = options.schedule ?? ((run) => void setImmediate(run));
    this.#deliveries = new Deliveries({ clock, schedule, onError: options.onError ?? reportError });
    this.#requests = new PendingRequests(clock);
  }

  publish(subject: string, data: Uint8Array, options: PublishOptions = {}): void {
    this.#send(subject, data, options.headers, ignore);
  }

  subscribe(
    pattern: string,
    handler: (message: BusMessage) => void | Promise<void>,
    options: SubscribeOptions = {},
  ): Subscription {
    if (this.#state !== 'open') throw busClosed();
    checkSubjectPattern(pattern);
    const inbox = this.#deliveries.open(pattern, handler, options);
    this.#inboxes.add(inbox);
    this.#trie.add(pattern, inbox);
    this.#receivers.clear();
    return { close: () => this.#unsubscribe(inbox) };
  }

  async request(subject: string, data: Uint8Array, options: RequestOptions): Promise<Uint8Array> {
    options.signal?.throwIfAborted();
    const pending = this.#requests.open(subject, options);
    let receivers: number;
    try {
      receivers = this.#send(subject, data, options.headers, (answer) => {
        checkMessageSize(subject, answer);
        pending.settle(new Uint8Array(answer));
      });
    } catch (error) {
      pending.fail(error);
      return pending.answer;
    }
    if (receivers === 0) pending.fail(noResponders(subject));
    return pending.answer;
  }

  drain(): Promise<void> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  /** Puts a message into the buffers of its receivers; returns their number. */
  #send(
    subject: string,
    data: Uint8Array,
    headers: BusHeaders | undefined,
    respond: (data: Uint8Array) => void,
  ): number {
    if (this.#state === 'closed') throw busClosed();
    checkMessageSize(subject, data);
    if (headers !== undefined) checkHeaders(headers);
    const { plain, groups } = this.#receiversOf(subject);
    const inboxes = groups.length === 0 ? plain : [...plain, ...this.#pickMembers(groups)];
    if (inboxes.length === 0) return 0;
    const open = inboxes.filter((inbox) => inbox.admits(subject));
    if (open.length === 0) return inboxes.length;
    this.#deliveries.push(open, {
      subject,
      // The publisher may use its buffer again at once. A Buffer's own slice would share the memory.
      data: new Uint8Array(data),
      headers: headers && Object.freeze({ ...headers }),
      shared: open.length > 1,
      respond,
    });
    return inboxes.length;
  }

  #receiversOf(subject: string): Receivers {
    const known = this.#receivers.get(subject);
    if (known !== undefined) return known;
    checkSubject(subject);
    const matches = this.#trie.match(subject);
    const receivers: Receivers = {
      plain: matches.filter((inbox) => inbox.queue === undefined),
      groups: [
        ...Map.groupBy(
          matches.filter((inbox) => inbox.queue !== undefined),
          (inbox) => inbox.queue ?? '',
        ),
      ],
    };
    if (this.#receivers.size >= limits.busMatchesCachedMax) this.#receivers.clear();
    this.#receivers.set(subject, receivers);
    return receivers;
  }

  /** Of each group the member whose turn it is. The turn belongs to the group, so that it also goes round over subjects. */
  #pickMembers(groups: Receivers['groups']): BusInbox[] {
    return groups.flatMap(([queue, members]) => {
      const turn = this.#turns.get(queue) ?? 0;
      this.#turns.set(queue, turn + 1);
      return members[turn % members.length] ?? [];
    });
  }

  #unsubscribe(inbox: BusInbox): Promise<void> {
    if (this.#inboxes.delete(inbox)) {
      this.#trie.remove(inbox.pattern, inbox);
      this.#receivers.clear();
      this.#forgetTurns(inbox.queue);
    }
    return inbox.close();
  }

  #forgetTurns(queue: string | undefined): void {
    if (queue === undefined) return;
    for (const other of this.#inboxes) if (other.queue === queue) return;
    this.#turns.delete(queue);
  }

  async #drain(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'draining';
    await this.#deliveries.waitFor(this.#deliveries.idle());
    this.#state = 'closed';
    this.#requests.failAll(busClosed());
    for (const inbox of this.#inboxes) void this.#unsubscribe(inbox);
  }
}

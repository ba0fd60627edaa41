import { assert } from '../../core/assert.ts';
import { PouwError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { Bus, BusMessage, SubscribeOptions } from '../../ports/bus.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Subscription } from '../../ports/event-store.ts';
import { BusInbox, type Envelope } from './bus-inbox.ts';
import { PendingRequests } from './pending-requests.ts';
import { reportError } from './report-error.ts';
import { checkSubject, checkSubjectPattern } from './subject.ts';
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

/** Messages one subscriber is given before the next one has its turn. */
const burst = 64;

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
  readonly #clock: Clock;
  readonly #schedule: (run: () => void) => void;
  readonly #onError: NonNullable<LocalBusOptions['onError']>;
  readonly #trie = new SubjectTrie<BusInbox>();
  readonly #inboxes = new Set<BusInbox>();
  readonly #receivers = new Map<string, Receivers>();
  readonly #turns = new Map<string, number>();
  readonly #requests: PendingRequests;
  #ready: BusInbox[] = [];
  #scheduled = false;
  #state: 'open' | 'draining' | 'closed' = 'open';
  /** Messages that were delivered to a buffer and are not handled yet. */
  #unhandled = 0;
  #drained: Promise<void> | undefined;
  #onIdle: () => void = ignore;

  constructor(options: LocalBusOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#schedule = options.schedule ?? ((run) => void setImmediate(run));
    this.#onError = options.onError ?? reportError;
    this.#requests = new PendingRequests(this.#clock);
  }

  publish(subject: string, data: Uint8Array): void {
    this.#send(subject, data, ignore);
  }

  subscribe(
    pattern: string,
    handler: (message: BusMessage) => void | Promise<void>,
    options: SubscribeOptions = {},
  ): Subscription {
    if (this.#state !== 'open') throw closed();
    checkSubjectPattern(pattern);
    const maxPending = options.maxPending ?? limits.busPendingMessagesMax;
    assert(Number.isSafeInteger(maxPending) && maxPending >= 1, 'a subscriber has room for a message');
    const inbox = new BusInbox({
      pattern,
      queue: options.queue,
      handler,
      maxPending,
      maxPendingBytes: limits.busPendingBytesMax,
      onSlow: options.onSlow,
      onError: this.#onError,
      onReady: (ready) => this.#makeReady(ready),
      onGone: (messages) => this.#gone(messages),
    });
    this.#inboxes.add(inbox);
    this.#trie.add(pattern, inbox);
    this.#receivers.clear();
    return { close: () => this.#unsubscribe(inbox) };
  }

  async request(
    subject: string,
    data: Uint8Array,
    options: { timeoutMs: number; signal?: AbortSignal },
  ): Promise<Uint8Array> {
    options.signal?.throwIfAborted();
    const pending = this.#requests.open(subject, options);
    let receivers: number;
    try {
      receivers = this.#send(subject, data, (answer) => {
        checkSize(subject, answer);
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
  #send(subject: string, data: Uint8Array, respond: (data: Uint8Array) => void): number {
    if (this.#state === 'closed') throw closed();
    checkSize(subject, data);
    const { plain, groups } = this.#receiversOf(subject);
    const count = plain.length + groups.length;
    if (count === 0) return 0;
    // The publisher may use its buffer again at once. A Buffer's own slice would share the memory.
    const envelope: Envelope = { subject, data: new Uint8Array(data), shared: count > 1, respond };
    this.#unhandled += count;
    for (const inbox of plain) inbox.push(envelope);
    for (const [queue, members] of groups) this.#pick(queue, members)?.push(envelope);
    return count;
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

  /** The member whose turn it is. The turn belongs to the group, so that it also goes round over subjects. */
  #pick(queue: string, members: readonly BusInbox[]): BusInbox | undefined {
    const turn = this.#turns.get(queue) ?? 0;
    this.#turns.set(queue, turn + 1);
    return members[turn % members.length];
  }

  #makeReady(inbox: BusInbox): void {
    this.#ready.push(inbox);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#schedule(() => this.#deliver());
  }

  #deliver(): void {
    this.#scheduled = false;
    const ready = this.#ready;
    this.#ready = [];
    for (const inbox of ready) inbox.deliver(burst);
  }

  #gone(messages: number): void {
    this.#unhandled -= messages;
    if (this.#unhandled === 0) this.#onIdle();
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
    if (this.#unhandled > 0) await this.#idle();
    this.#state = 'closed';
    const inboxes = [...this.#inboxes];
    this.#requests.failAll(closed());
    for (const inbox of inboxes) void this.#unsubscribe(inbox);
  }

  /** Resolves when every message is handled; at the latest after `limits.busDrainMsMax`. */
  #idle(): Promise<void> {
    return new Promise((resolve) => {
      const forget = this.#clock.at(this.#clock.now() + limits.busDrainMsMax, () => {
        this.#onError(drainTimeout(this.#unhandled), { subject: '>', pattern: '>' });
        resolve();
      });
      this.#onIdle = () => {
        forget();
        resolve();
      };
    });
  }
}

function checkSize(subject: string, data: Uint8Array): void {
  if (data.length <= limits.busMessageBytesMax) return;
  throw new PouwError(
    'message_too_large',
    `A message of ${data.length} bytes on ${subject.slice(0, 80)} is too large.`,
    {
      class: 'too-large',
      why: `A message has at most ${limits.busMessageBytesMax} bytes.`,
      hint: 'Put large content into the content store and send its CID.',
    },
  );
}

function closed(): PouwError {
  return new PouwError('bus_closed', 'The bus is closed.', { class: 'unavailable', why: 'The node is stopping.' });
}

function noResponders(subject: string): PouwError {
  return new PouwError('no_responders', `Nobody listens on ${subject}.`, {
    class: 'unavailable',
    why: 'The node that answers there is not running, or is gone.',
    hint: 'Try again later, or ask another node.',
  });
}

function drainTimeout(messages: number): PouwError {
  return new PouwError('bus_drain_timeout', `The bus closed over ${messages} messages that were not handled in time.`, {
    class: 'timeout',
    why: `A handler took longer than ${limits.busDrainMsMax} ms.`,
  });
}

import type { NatsConnection, Subscription as NatsSubscription } from 'nats';
import { limits } from '../../../core/limits.ts';
import type { Clock } from '../../../ports/clock.ts';

/** What the subscriptions of one subscriber are made of. */
export interface SenderSubscriptionsOptions {
  readonly connection: Pick<NatsConnection, 'isClosed'>;
  readonly clock: Clock;
  /** What is subscribed to. */
  readonly pattern: string;
  readonly subscribe: (pattern: string) => NatsSubscription;
  /** The senders there are, as far as anybody knows. */
  readonly known: () => Iterable<string>;
}

/**
 * What a subscriber has of the server: one subscription for its pattern, as long as everybody keeps within bounds. Who
 * floods is shut out for a time: the pattern, in which the last token stands for the sender, makes way for one
 * subscription for each of the others, so that the server does not even send us what would only be thrown away.
 */
export class SenderSubscriptions {
  readonly #options: SenderSubscriptionsOptions;
  /** By sender; the pattern itself under `*`. */
  readonly #open = new Map<string, NatsSubscription>();
  /** Who is shut out, with what lets it in again. */
  readonly #out = new Map<string, () => void>();

  constructor(options: SenderSubscriptionsOptions) {
    this.#options = options;
    this.#become(['*']);
  }

  /** Shuts a sender out. @returns whether it is: not where the pattern has no sender, or there are too many others. */
  shutOut(sender: string): boolean {
    const { clock, pattern, connection } = this.#options;
    if (!pattern.endsWith('.*') || this.#out.has(sender) || connection.isClosed()) return false;
    const others = this.#others(sender);
    if (others.size > limits.busSendersApartMax) return false;
    this.#out.set(
      sender,
      clock.at(clock.now() + limits.busShutOutMs, () => this.#letIn(sender)),
    );
    this.#become(others);
    return true;
  }

  close(): void {
    for (const forget of this.#out.values()) forget();
    this.#out.clear();
    this.#become([]);
  }

  #letIn(sender: string): void {
    this.#out.delete(sender);
    if (!this.#options.connection.isClosed()) this.#become(this.#out.size === 0 ? ['*'] : this.#others());
  }

  /** The senders that are not shut out. */
  #others(andNot?: string): Set<string> {
    const isOther = (one: string): boolean => /^[^*>]+$/.test(one) && one !== andNot && !this.#out.has(one);
    return new Set([...this.#options.known()].filter(isOther));
  }

  /** Ends what is not wanted before it begins what is, so that nothing comes twice. */
  #become(senders: Iterable<string>): void {
    const wanted = new Set(senders);
    for (const [sender, subscription] of this.#open) {
      if (wanted.has(sender)) continue;
      if (!subscription.isClosed()) subscription.unsubscribe();
      this.#open.delete(sender);
    }
    const { pattern, subscribe } = this.#options;
    for (const sender of wanted) {
      if (this.#open.has(sender)) continue;
      this.#open.set(sender, subscribe(sender === '*' ? pattern : `${pattern.slice(0, -1)}${sender}`));
    }
  }
}

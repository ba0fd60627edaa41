import { assert } from '../../core/assert.ts';
import { limits } from '../../core/limits.ts';
import { Recent } from '../../core/recent.ts';
import type { SenderBound } from '../../ports/bus.ts';
import type { Clock } from '../../ports/clock.ts';

/** What one sender may still send. */
interface Bucket {
  left: number;
  at: number;
}

/** The sender of a message: the last token of its subject, under which nobody else may publish. */
export function senderOf(subject: string): string {
  return subject.slice(subject.lastIndexOf('.') + 1);
}

/** Bounds what a subscription takes of each sender, with a token bucket for each, and tells of what it does not take. */
export class SenderBounds {
  readonly #bound: SenderBound;
  readonly #clock: Clock;
  readonly #buckets = new Recent<string, Bucket>(limits.busSendersKept);
  #excess = new Map<string, number>();
  #forgetTelling: (() => void) | undefined;

  constructor(bound: SenderBound, clock: Clock) {
    const { perS, atOnce } = bound;
    assert(perS > 0 && atOnce >= 1, 'who is bound may send something');
    this.#bound = bound;
    this.#clock = clock;
  }

  /** Told of a sender that floods, as soon as it does and at most once for each telling. */
  onFlood: (sender: string) => void = () => undefined;

  /** The senders that are known or were heard. */
  *senders(): Iterable<string> {
    yield* this.#bound.known?.() ?? [];
    yield* this.#buckets.keys();
  }

  /** Whether a message is within its sender's bound; counts it. */
  admits(subject: string): boolean {
    const { perS, atOnce } = this.#bound;
    const sender = senderOf(subject);
    const now = this.#clock.now();
    let bucket = this.#buckets.get(sender);
    if (bucket === undefined) {
      bucket = { left: atOnce, at: now };
      this.#buckets.set(sender, bucket);
    }
    bucket.left = Math.min(atOnce, bucket.left + (Math.max(0, now - bucket.at) * perS) / 1_000);
    bucket.at = now;
    if (bucket.left < 1) {
      this.#exceeds(sender, now);
      return false;
    }
    bucket.left -= 1;
    return true;
  }

  /** Tells what was not told yet, and nothing more. */
  close(): void {
    this.#forgetTelling?.();
    this.#tell();
  }

  #exceeds(sender: string, now: number): void {
    const excess = (this.#excess.get(sender) ?? 0) + 1;
    this.#excess.set(sender, excess);
    this.#forgetTelling ??= this.#clock.at(now + limits.busExcessMs, () => this.#tell());
    if (excess === limits.busShutOutAfter) this.onFlood(sender);
  }

  #tell(): void {
    this.#forgetTelling = undefined;
    const excess = this.#excess;
    this.#excess = new Map();
    for (const [sender, dropped] of excess) this.#bound.onExcess?.(sender, dropped);
  }
}

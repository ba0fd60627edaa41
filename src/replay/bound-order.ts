import { type AnchoredOrder, OrderDigest } from '../core/anchored-order.ts';
import type { StoredCommit } from '../ports/event-store.ts';
import type { ChainAnchor } from './source.ts';

/** An order of an anchor while its commits come by. */
interface Reading {
  readonly order: AnchoredOrder;
  readonly digest: OrderDigest;
}

/**
 * Whether the new part of a log stands as anchors have bound it: each position is in an order whose digest these very commits
 * have. An order that does not fit binds nothing, whoever anchored it; others may bind the same positions.
 */
export class BoundOrder {
  readonly #from: number;
  /** Orders that have not begun, the first one last. */
  readonly #waiting: AnchoredOrder[];
  #open: Reading[] = [];
  readonly #bound: AnchoredOrder[] = [];

  /** @param from the first position that is new. */
  constructor(anchors: readonly ChainAnchor[], from: number) {
    this.#from = from;
    const orders = anchors.flatMap(({ manifest }) => manifest?.order ?? []);
    this.#waiting = orders.filter(({ to }) => to >= from).toSorted((a, b) => b.from - a.from);
  }

  /** Takes a commit; all have to come, in the order of their positions. */
  take({ position, commit: { hash }, passed = [] }: StoredCommit): void {
    // What does not count has its place in the order, too.
    for (const [index, one] of passed.entries()) this.#takeOne(position - passed.length + index, one);
    this.#takeOne(position, hash);
  }

  /** Whether all new positions up to one are bound. */
  holds(to: number): boolean {
    let last = this.#from - 1;
    for (const order of this.#bound.toSorted((a, b) => a.from - b.from)) {
      if (order.from > last + 1) return false;
      last = Math.max(last, order.to);
    }
    return last >= to;
  }

  #takeOne(position: number, hash: string): void {
    while ((this.#waiting.at(-1)?.from ?? Infinity) <= position) {
      const order = this.#waiting.pop();
      if (order?.from === position) this.#open.push({ order, digest: new OrderDigest() });
    }
    for (const { order, digest } of this.#open) {
      digest.add(hash);
      if (position === order.to && digest.end() === order.digest) this.#bound.push(order);
    }
    this.#open = this.#open.filter(({ order }) => order.to > position);
  }
}

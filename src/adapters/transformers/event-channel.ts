/**
 * A queue between a producer that pushes and a consumer that iterates. It holds what was not consumed yet;
 * the producer bounds it by bounding what it makes. `onReturn` is called when the consumer leaves early,
 * even while it is waiting for the next item.
 */
export class EventChannel<Item> implements AsyncIterator<Item, undefined> {
  readonly #onReturn: () => void;
  readonly #items: Item[] = [];
  #waiting: PromiseWithResolvers<IteratorResult<Item, undefined>> | undefined;
  #end: { readonly error?: unknown } | undefined;

  constructor(onReturn: () => void) {
    this.#onReturn = onReturn;
  }

  /** Hands over an item; dropped once the channel has ended. */
  push(item: Item): void {
    if (this.#end !== undefined) return;
    if (this.#waiting === undefined) this.#items.push(item);
    else this.#settle({ done: false, value: item });
  }

  /** Ends the iteration once the items are consumed. */
  end(): void {
    if (this.#end !== undefined) return;
    this.#end = {};
    this.#settle({ done: true, value: undefined });
  }

  /** Ends the iteration with an error, at once: what was not consumed is dropped. */
  fail(error: unknown): void {
    if (this.#end !== undefined) return;
    const waiting = this.#waiting;
    this.#items.length = 0;
    this.#waiting = undefined;
    this.#end = waiting === undefined ? { error } : {};
    waiting?.reject(error);
  }

  async next(): Promise<IteratorResult<Item, undefined>> {
    const item = this.#items.shift();
    if (item !== undefined) return { done: false, value: item };
    if (this.#end !== undefined) return this.#ended(this.#end);
    this.#waiting ??= Promise.withResolvers();
    return this.#waiting.promise;
  }

  async return(): Promise<IteratorResult<Item, undefined>> {
    const early = this.#end === undefined;
    this.#items.length = 0;
    this.end();
    if (early) this.#onReturn();
    return { done: true, value: undefined };
  }

  #ended(end: { readonly error?: unknown }): IteratorResult<Item, undefined> {
    if (!('error' in end)) return { done: true, value: undefined };
    // An error is reported once; afterwards the iteration is over, as a generator's would be.
    this.#end = {};
    throw end.error;
  }

  #settle(result: IteratorResult<Item, undefined>): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(result);
  }
}

/** A timer that waits in a {@link TimerHeap}. */
export interface HeapTimer {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly run: () => void;
}

interface Entry extends HeapTimer {
  /** Timers of one moment run in the order in which they were set. */
  readonly order: number;
  forgotten: boolean;
}

function before(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** Timers, the earliest first: a binary heap. A forgotten timer is dropped when it comes to the top. */
export class TimerHeap {
  readonly #entries: Entry[] = [];
  #order = 0;

  /** Adds a timer; the disposer forgets it. */
  add(atMs: number, run: () => void): () => void {
    const entry: Entry = { atMs, run, order: this.#order++, forgotten: false };
    this.#entries.push(entry);
    this.#rise(this.#entries.length - 1);
    return () => {
      entry.forgotten = true;
    };
  }

  /** When the earliest timer is due, undefined where none waits. */
  nextAt(): number | undefined {
    while (this.#entries[0]?.forgotten === true) this.#pop();
    return this.#entries[0]?.atMs;
  }

  /** Takes the earliest timer out if it is due at `untilMs`. */
  take(untilMs: number): HeapTimer | undefined {
    const atMs = this.nextAt();
    return atMs === undefined || atMs > untilMs ? undefined : this.#pop();
  }

  #pop(): Entry | undefined {
    const top = this.#entries[0];
    const last = this.#entries.pop();
    if (last !== undefined && last !== top) {
      this.#entries[0] = last;
      this.#sink(0);
    }
    return top;
  }

  #rise(from: number): void {
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#swapIfEarlier(index, parent)) return;
      index = parent;
    }
  }

  #sink(from: number): void {
    let index = from;
    for (;;) {
      const left = 2 * index + 1;
      const right = left + 1;
      const child = this.#isEarlier(right, left) ? right : left;
      if (!this.#swapIfEarlier(child, index)) return;
      index = child;
    }
  }

  #isEarlier(index: number, than: number): boolean {
    const a = this.#entries[index];
    const b = this.#entries[than];
    return a !== undefined && b !== undefined && before(a, b);
  }

  #swapIfEarlier(index: number, than: number): boolean {
    const a = this.#entries[index];
    const b = this.#entries[than];
    if (a === undefined || b === undefined || !before(a, b)) return false;
    this.#entries[index] = b;
    this.#entries[than] = a;
    return true;
  }
}

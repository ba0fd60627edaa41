/** Positions of a log, added in rising order: runs of them cost as much as one. */
export class PositionSet {
  readonly #from: number[] = [];
  readonly #to: number[] = [];

  /** Adds a position that is higher than all before. */
  add(position: number): void {
    const last = this.#to.length - 1;
    if (this.#to[last] === position - 1) this.#to[last] = position;
    else {
      this.#from.push(position);
      this.#to.push(position);
    }
  }

  has(position: number): boolean {
    let low = 0;
    let high = this.#from.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#from[middle] ?? Infinity) <= position) low = middle + 1;
      else high = middle;
    }
    return low > 0 && position <= (this.#to[low - 1] ?? 0);
  }
}

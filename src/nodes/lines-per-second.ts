/** Lets so many lines through in each second, and counts those it does not. */
export class LinesPerSecond {
  readonly #most: number;
  #second = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #left = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** How many lines were left out since the last one; undefined where this one is left out, too. */
  next(nowMs: number): number | undefined {
    if (nowMs - this.#second >= 1_000) {
      this.#second = nowMs;
      this.#lines = 0;
    }
    if (this.#lines >= this.#most) {
      this.#left += 1;
      return undefined;
    }
    this.#lines += 1;
    const left = this.#left;
    this.#left = 0;
    return left;
  }
}

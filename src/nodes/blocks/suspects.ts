import { limits } from '../../core/limits.ts';

/** Holders that gave wrong bytes or none the last time they were asked: they are asked last. */
export class Suspects {
  readonly #holders = new Set<string>();

  has(holder: string): boolean {
    return this.#holders.has(holder);
  }

  /** Notes one; whoever has been noted longest is forgotten where there are too many. */
  add(holder: string): void {
    this.#holders.delete(holder);
    this.#holders.add(holder);
    if (this.#holders.size <= limits.blockSuspectsKept) return;
    for (const oldest of this.#holders.values().take(1)) this.#holders.delete(oldest);
  }

  /** Clears one that gave the right bytes. */
  clear(holder: string): void {
    this.#holders.delete(holder);
  }
}

/**
 * Finds stop strings in a stream of text. What might be the beginning of one is held back, so that no part
 * of a stop string is ever emitted.
 */
export class StopMatcher {
  readonly #stops: readonly string[];
  #held = '';
  #stopped = false;

  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  /** Takes text; returns what is certainly not part of a stop string, and whether one is complete. What follows one is swallowed. */
  push(text: string): { readonly text: string; readonly stopped: boolean } {
    if (this.#stopped) return { text: '', stopped: true };
    if (this.#stops.length === 0) return { text, stopped: false };
    const all = this.#held + text;
    const at = this.#firstMatch(all);
    if (at >= 0) {
      this.#held = '';
      this.#stopped = true;
      return { text: all.slice(0, at), stopped: true };
    }
    const keep = this.#possiblePrefixLength(all);
    this.#held = all.slice(all.length - keep);
    return { text: all.slice(0, all.length - keep), stopped: false };
  }

  /** The text held back, once nothing follows. */
  flush(): string {
    const text = this.#held;
    this.#held = '';
    return text;
  }

  /** Where the stop string begins that is complete first; so it does not matter into which pieces the text was cut. */
  #firstMatch(text: string): number {
    let start = -1;
    let end = Infinity;
    for (const stop of this.#stops) {
      const at = text.indexOf(stop);
      if (at < 0 || at + stop.length > end || (at + stop.length === end && at > start)) continue;
      start = at;
      end = at + stop.length;
    }
    return start;
  }

  #possiblePrefixLength(text: string): number {
    let longest = 0;
    for (const stop of this.#stops) {
      for (let length = Math.min(stop.length - 1, text.length); length > longest; length--) {
        if (text.endsWith(stop.slice(0, length))) longest = length;
      }
    }
    return longest;
  }
}

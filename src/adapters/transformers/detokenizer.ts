const replacement = '\uFFFD';

/**
 * Turns token ids into text as they come, never splitting a character: bytes of an unfinished one show as
 * U+FFFD at the end of what is decoded so far and are held back until a later token completes them. All
 * pieces together equal the decoding of all ids at once.
 *
 * Only a window is decoded for each token: the ids of the last finished piece, which give the decoder its
 * context (a leading space), and those after it.
 */
export class Detokenizer {
  readonly #decode: (ids: readonly number[]) => string;
  readonly #ids: number[] = [];
  /** Start of the window. */
  #contextFrom = 0;
  /** First id whose text is not wholly emitted. */
  #pendingFrom = 0;
  /** Characters of the pending ids' text emitted already. */
  #emittedChars = 0;

  constructor(decode: (ids: readonly number[]) => string) {
    this.#decode = decode;
  }

  /** Takes the next id; returns the text that is final with it. */
  push(id: number): string {
    this.#ids.push(id);
    const pending = this.#pendingText();
    let end = pending.length;
    while (end > 0 && pending[end - 1] === replacement) end--;
    const text = pending.slice(this.#emittedChars, end);
    if (end === pending.length) {
      this.#contextFrom = this.#pendingFrom;
      this.#pendingFrom = this.#ids.length;
      this.#emittedChars = 0;
    } else {
      this.#emittedChars = Math.max(this.#emittedChars, end);
    }
    return text;
  }

  /** The text still held back, at the end of the answer. */
  flush(): string {
    const text = this.#pendingText().slice(this.#emittedChars);
    this.#emittedChars += text.length;
    return text;
  }

  #pendingText(): string {
    const context = this.#text(this.#contextFrom, this.#pendingFrom);
    return this.#text(this.#contextFrom, this.#ids.length).slice(context.length);
  }

  #text(from: number, to: number): string {
    return from === to ? '' : this.#decode(this.#ids.slice(from, to));
  }
}

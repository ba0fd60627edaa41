/** What has to be closed, in the opposite order in which it was opened. */
export class Closers {
  readonly #closers: (() => Promise<void>)[] = [];
  #isClosed = false;

  /** @throws where everything was closed while this was still being opened: it is closed at once. */
  add(close: () => Promise<void>): void {
    if (!this.#isClosed) {
      this.#closers.push(close);
      return;
    }
    close().catch(() => undefined);
    throw new Error('everything else was closed in the meantime');
  }

  /** Closes what is still being opened once it is open; what never opens needs no closing. */
  later<T>(opening: Promise<T>, close: (opened: T) => Promise<void>): Promise<T> {
    this.add(() => opening.then(close, () => undefined));
    // Who opened it waits for it later: a failure until then is no reason to end the process.
    opening.catch(() => undefined);
    return opening;
  }

  /** Closes everything; the first failure is thrown after the rest was closed too. */
  async closeAll(): Promise<void> {
    this.#isClosed = true;
    const failures: unknown[] = [];
    for (const close of this.#closers.splice(0).toReversed()) {
      await close().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }
}

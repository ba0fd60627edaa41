/** The longest delay a timer of Node.js takes, in milliseconds. */
const timerMaxMs = 2_147_483_647;

/** Made once: an abort without a reason makes an error with a stack each time, and most waits end well. */
const isOver = new Error('the wait is over');

/**
 * A time-out joined with other reasons to stop. Its timer keeps the process alive, unlike `AbortSignal.timeout`, and
 * disposing of it stops what is still done for whoever waited.
 */
export class Deadline implements Disposable {
  /** Aborts when time is up, one of the others does, or the wait is over. */
  readonly signal: AbortSignal;
  readonly #timer: NodeJS.Timeout;
  readonly #controller = new AbortController();
  #passed = false;

  /** @param timeoutMs milliseconds from now. */
  constructor(timeoutMs: number, ...signals: readonly (AbortSignal | undefined)[]) {
    this.signal = AbortSignal.any([this.#controller.signal, ...signals.filter((signal) => signal !== undefined)]);
    const pass = (): void => {
      this.#passed = true;
      this.#controller.abort();
    };
    this.#timer = setTimeout(pass, Math.min(timeoutMs, timerMaxMs));
  }

  /** Whether time is up. */
  get passed(): boolean {
    return this.#passed;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#controller.abort(isOver);
  }
}

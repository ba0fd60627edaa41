/** The longest delay a timer of Node.js takes, in milliseconds. */
const timerMaxMs = 2_147_483_647;

/** A time-out joined with other reasons to stop. Its timer keeps the process alive, unlike `AbortSignal.timeout`. */
export class Deadline implements Disposable {
  /** Aborts when time is up or one of the others does. */
  readonly signal: AbortSignal;
  readonly #timer: NodeJS.Timeout;
  readonly #controller = new AbortController();

  /** @param timeoutMs milliseconds from now. */
  constructor(timeoutMs: number, ...signals: readonly (AbortSignal | undefined)[]) {
    this.signal = AbortSignal.any([this.#controller.signal, ...signals.filter((signal) => signal !== undefined)]);
    this.#timer = setTimeout(() => this.#controller.abort(), Math.min(timeoutMs, timerMaxMs));
  }

  /** Whether time is up. */
  get passed(): boolean {
    return this.#controller.signal.aborted;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

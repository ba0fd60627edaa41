import { Worker } from 'node:worker_threads';
import { errorMessage, PouwError } from '../../core/errors.ts';
import { guardExit, releaseExit } from './exit-guard.ts';
import {
  type CallName,
  type Calls,
  fromWireError,
  type FromWorker,
  type ToWorker,
  type WorkerSettings,
  type WorkerStart,
} from './messages.ts';
import { PassGate } from './pass-gate.ts';

interface PendingCall {
  readonly onItem: (item: unknown) => void;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** A call under way. */
export interface CallHandle<Name extends CallName> {
  readonly result: Promise<Calls[Name]['result']>;
  /** Asks the thread to stop it; the call still ends by itself, at its next step. */
  cancel(): void;
}

/** Milliseconds a thread may take to finish its pass and free its models before it is ended by force. */
const closeGraceMs = 10_000;

/** One worker thread seen from outside: typed calls, and one notice when it is gone. */
export class WorkerThread {
  readonly #worker: Worker;
  readonly #gate = new PassGate();
  readonly #pending = new Map<number, PendingCall>();
  readonly #exited: Promise<unknown>;
  #calls = 0;
  #failure: unknown;
  #gone = false;

  /** @param onExit called once when the thread has ended, after its pending calls were rejected. */
  constructor(settings: WorkerSettings, onExit: () => void) {
    // Node runs the .ts file by stripping its types; the parent's loader options are not for it.
    this.#worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: { ...settings, gate: this.#gate.shared } satisfies WorkerStart,
      execArgv: [],
      name: 'inference',
    });
    this.#worker.on('message', (message: FromWorker) => this.#receive(message));
    this.#worker.on('error', (error: unknown) => {
      this.#failure = error;
    });
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', resolve);
    });
    guardExit(this.#gate);
    this.#worker.once('exit', () => {
      releaseExit(this.#gate);
      this.#gone = true;
      this.#rejectPending();
      onExit();
    });
  }

  /** Starts a call; its result rejects with `inference_failed` where the thread dies first. */
  call<Name extends CallName>(
    name: Name,
    input: Calls[Name]['input'],
    onItem: (item: Calls[Name]['item']) => void = () => {},
  ): CallHandle<Name> {
    const call = ++this.#calls;
    const { promise, resolve, reject } = Promise.withResolvers<Calls[Name]['result']>();
    if (this.#gone) {
      reject(this.#died());
      return { result: promise, cancel: () => {} };
    }
    this.#pending.set(call, {
      onItem: onItem as (item: unknown) => void,
      resolve: resolve as (result: unknown) => void,
      reject,
    });
    this.#post({ type: 'call', call, name, input } as ToWorker);
    return { result: promise, cancel: () => this.#post({ type: 'cancel', call }) };
  }

  /** Lets the thread free its models and end; ends it by force if it does not. */
  async close(): Promise<void> {
    this.#post({ type: 'close' });
    const timer = setTimeout(() => void this.#force(), closeGraceMs);
    await this.#exited;
    clearTimeout(timer);
  }

  async #force(): Promise<void> {
    this.#gate.shut();
    await this.#gate.empty();
    await this.#worker.terminate();
  }

  #post(message: ToWorker): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    if (!this.#gone) this.#worker.postMessage(message);
  }

  #receive(message: FromWorker): void {
    const pending = this.#pending.get(message.call);
    if (pending === undefined) return;
    if (message.type === 'item') return pending.onItem(message.item);
    this.#pending.delete(message.call);
    if (message.type === 'end') pending.resolve(message.result);
    else pending.reject(fromWireError(message.error));
  }

  #rejectPending(): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const call of pending) call.reject(this.#died());
  }

  #died(): PouwError {
    return new PouwError('inference_failed', 'The thread that ran the model ended before it was done.', {
      class: 'unavailable',
      why: this.#failure === undefined ? 'It was stopped from outside or by its engine.' : errorMessage(this.#failure),
      hint: 'Try again: the thread is replaced.',
      details: { retryable: true },
      cause: this.#failure,
    });
  }
}

import type { Rejection } from '../../core/decision.ts';
import { PouwError } from '../../core/errors.ts';
import type { TaskUpdate, WatchFrom } from '../../ports/gateway-network.ts';
import type { TaskState, TaskView } from '../../ports/task-views.ts';
import type { DeliveredToken, StreamEnd } from '../miner-stream.ts';
import { TaskStream } from '../task-stream.ts';

/** How a task ended, as watchers are told. */
export type TaskEnding =
  | { readonly type: 'verdict'; readonly view: TaskView }
  | { readonly type: 'failed'; readonly failure: Rejection; readonly view: TaskView };

/** Everything watchers of one running task are shown: its states, its words, its end. */
export class TaskFeed {
  readonly stream = new TaskStream();
  readonly delivery: 'fast' | 'verified';
  readonly #states: TaskState[] = ['queued'];
  readonly #waiting = new Set<() => void>();
  #ending: TaskEnding | undefined;
  #closed = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(delivery: 'fast' | 'verified') {
    this.delivery = delivery;
    this.stream.listen(() => this.#wake());
  }

  /** The task has entered a state. */
  enter(state: TaskState): void {
    if (this.#states.at(-1) === state) return;
    this.#states.push(state);
    this.#wake();
  }

  /** The task has ended. */
  end(ending: TaskEnding): void {
    this.#ending ??= ending;
    this.#wake();
  }

  /** The task has ended, and what its watchers should see of it cannot be had. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wake();
  }

  get ended(): boolean {
    return this.#ending !== undefined;
  }

  /** Whether the end cannot be shown. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** The node stops: watchers are told so. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  /**
   * All updates from the beginning, then those to come; of the tokens only those behind `after`.
   */
  async *watch(
    signal: AbortSignal,
    { after = -1, delivery = this.delivery }: WatchFrom = {},
  ): AsyncGenerator<TaskUpdate> {
    let states = 0;
    const words = new Words(this.stream, delivery, after);
    for (;;) {
      signal.throwIfAborted();
      while (states < this.#states.length) {
        const state = this.#states[states];
        states += 1;
        if (state !== undefined) yield { type: 'state', state };
      }
      yield* words.next();
      if (this.#ending !== undefined) {
        yield* words.rest(this.#ending.view);
        yield this.#ending;
        return;
      }
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#closed)
        throw new PouwError('task_unwatched', 'The node stops; the task goes on.', {
          class: 'unavailable',
          hint: 'Ask again for the same task.',
        });
      if (states === this.#states.length && !words.pending()) await this.#change(signal);
    }
  }

  #change(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done);
        this.#waiting.delete(done);
        resolve();
      };
      this.#waiting.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }
}

/** One watcher's place in the words. */
class Words {
  readonly #stream: TaskStream;
  readonly #delivery: 'fast' | 'verified';
  readonly #after: number;
  /** Tokens that the watcher has, from here or from before. */
  #sent = 0;
  /** Their text. */
  #text = '';
  #ended = false;

  constructor(stream: TaskStream, delivery: 'fast' | 'verified', after: number) {
    this.#stream = stream;
    this.#delivery = delivery;
    this.#after = after;
  }

  /** Whether there is something to send now. */
  pending(): boolean {
    if (this.#delivery === 'verified' || this.#ended) return false;
    return this.#sent < this.#stream.delivered.length || this.#stream.end !== undefined;
  }

  /** What may be sent before the verdict. */
  *next(): Generator<TaskUpdate> {
    if (this.#delivery === 'verified' || this.#ended) return;
    yield* this.#tokens(this.#stream.delivered);
    const end = this.#stream.end;
    if (end !== undefined && this.#sent === this.#stream.delivered.length) yield this.#end(end);
  }

  /** What is left once the verdict is there. */
  *rest(view: TaskView): Generator<TaskUpdate> {
    if (this.#ended || view.winner === null) return;
    const whole = this.#delivery === 'verified' ? this.#stream.whole(view.winner) : undefined;
    if (whole !== undefined) {
      yield* this.#tokens(whole.tokens);
      yield this.#end(whole.end);
      return;
    }
    if (view.text === null) return;
    const { text, promptTokens, outputTokens } = view;
    const end = { finishReason: view.finishReason ?? 'stop', promptTokens, outputTokens } as const;
    if (!text.startsWith(this.#text)) yield this.#end({ text: '', ...end });
    // What the watcher has of it was never seen here: where to cut the text, nobody knows.
    else if (this.#after >= this.#sent) yield { ...this.#end({ text, ...end }), isWhole: true };
    else yield this.#end({ text: text.slice(this.#text.length), ...end });
  }

  *#tokens(tokens: readonly DeliveredToken[]): Generator<TaskUpdate> {
    while (this.#sent < tokens.length) {
      const token = tokens[this.#sent];
      this.#sent += 1;
      if (token === undefined) continue;
      this.#text += token.text;
      if (token.index > this.#after) yield { type: 'token', ...token };
    }
  }

  #end(end: StreamEnd): Extract<TaskUpdate, { type: 'done' }> {
    this.#ended = true;
    this.#text += end.text;
    return { type: 'done', ...end };
  }
}

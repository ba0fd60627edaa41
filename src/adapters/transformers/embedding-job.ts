import { limits } from '../../core/limits.ts';
import type { EmbeddingModel, Window } from './embedding-model.ts';
import type { Embeddings } from './messages.ts';
import type { Job } from './round-robin.ts';

/** Where the embeddings of a request go; exactly one is called, once. */
export interface EmbeddingSink {
  end(embeddings: Embeddings): void;
  fail(error: unknown): void;
}

/**
 * The embeddings of one request, a batch a step: windows of like length together, so that little is
 * padding, and few enough that a generation beside it does not wait long. The mean over all tokens of a
 * text, then L2-normalised; the order of the texts is kept.
 */
export class EmbeddingJob implements Job {
  readonly #model: EmbeddingModel;
  readonly #texts: readonly string[];
  readonly #sink: EmbeddingSink;
  readonly #sums: Float64Array[];
  #waiting: Window[] | undefined;
  #tokens = 0;
  #cancelled = false;

  constructor(model: EmbeddingModel, texts: readonly string[], sink: EmbeddingSink) {
    this.#model = model;
    this.#texts = texts;
    this.#sink = sink;
    this.#sums = texts.map(() => new Float64Array(model.dimensions));
  }

  /** Gives up before the next batch. */
  cancel(): void {
    this.#cancelled = true;
  }

  async step(): Promise<boolean> {
    try {
      if (this.#cancelled) {
        this.#sink.fail(new Error('the embedding was cancelled'));
        return true;
      }
      this.#waiting ??= this.#allWindows();
      const batch = takeBatch(this.#waiting);
      if (batch.length > 0) await this.#add(batch);
      if (this.#waiting.length > 0) return false;
      this.#sink.end({ rows: this.#normalised(), dimensions: this.#model.dimensions, tokens: this.#tokens });
    } catch (error) {
      this.#sink.fail(error);
    }
    return true;
  }

  #allWindows(): Window[] {
    const windows = this.#texts.flatMap((text, index) => this.#model.windows(text, index));
    this.#tokens = windows.reduce((sum, window) => sum + window.ids.length, 0);
    return windows.toSorted((a, b) => a.ids.length - b.ids.length || a.text - b.text);
  }

  async #add(batch: readonly Window[]): Promise<void> {
    const sums = await this.#model.sums(batch);
    batch.forEach((window, row) => {
      const into = this.#sums[window.text];
      const from = sums[row];
      if (into === undefined || from === undefined) return;
      for (let axis = 0; axis < into.length; axis++) into[axis] = (into[axis] as number) + (from[axis] as number);
    });
  }

  /** The mean's length does not matter to its direction, so the sum is normalised without dividing first. */
  #normalised(): Float32Array {
    const rows = new Float32Array(this.#texts.length * this.#model.dimensions);
    this.#sums.forEach((sum, row) => {
      const norm = Math.sqrt(sum.reduce((total, value) => total + value * value, 0)) || 1;
      rows.set(
        Float32Array.from(sum, (value) => value / norm),
        row * this.#model.dimensions,
      );
    });
    return rows;
  }
}

/** Takes the next windows, all of like length, whose padded size stays within the bounds of a batch; at least one. */
function takeBatch(waiting: Window[]): Window[] {
  let count = 0;
  while (count < Math.min(waiting.length, limits.embeddingBatchTextsMax)) {
    const longest = waiting[count]?.ids.length ?? 0;
    if (count > 0 && (count + 1) * longest > limits.embeddingBatchTokensMax) break;
    count++;
  }
  return waiting.splice(0, count);
}

import { type PreTrainedModel, type PreTrainedTokenizer, Tensor } from '@huggingface/transformers';
import { PouwError } from '../../core/errors.ts';
import { unknownTokenId } from '../../ports/inference-request.ts';
import { floats, forward } from './forward.ts';

/** Token ids of one window of a text; texts longer than the model's context have several. */
export interface Window {
  /** Which text of the request it belongs to. */
  readonly text: number;
  readonly ids: readonly number[];
}

/** A sentence-embedding model with its tokenizer: text to windows of ids, windows to sums of token vectors. */
export class EmbeddingModel {
  readonly id: string;
  readonly contextTokens: number;
  readonly dimensions: number;
  readonly #model: PreTrainedModel;
  readonly #tokenizer: PreTrainedTokenizer;
  readonly #padId: number;
  /** Every id the tokenizer knows; made when somebody first sends ids. */
  #vocabulary: ReadonlySet<number> | undefined;
  /** Special tokens the tokenizer puts around a text. */
  readonly #before: readonly number[];
  readonly #after: readonly number[];

  constructor(
    id: string,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizer,
    contextTokens: number,
    dimensions: number,
  ) {
    this.id = id;
    this.contextTokens = contextTokens;
    this.dimensions = dimensions;
    this.#model = model;
    this.#tokenizer = tokenizer;
    this.#padId = tokenizer.pad_token_id ?? 0;
    const bare = tokenizer.encode('a', { add_special_tokens: false });
    const framed = tokenizer.encode('a');
    const at = framed.findIndex((_, index) => bare.every((token, offset) => framed[index + offset] === token));
    this.#before = framed.slice(0, Math.max(0, at));
    this.#after = at < 0 ? [] : framed.slice(at + bare.length);
  }

  /**
   * Cuts a text into windows that fit the model. Cutting the text off instead would make texts that differ
   * late look the same, which a cheat could use. A text without tokens is one padding token, so that it has
   * a direction of its own: all empty answers agree.
   */
  windows(text: string, index: number): Window[] {
    const ids = this.#tokenizer.encode(text, { add_special_tokens: false });
    const room = this.contextTokens - this.#before.length - this.#after.length;
    const windows: Window[] = [];
    for (let from = 0; from < Math.max(1, ids.length); from += room) {
      const framed = [...this.#before, ...ids.slice(from, from + room), ...this.#after];
      windows.push({ text: index, ids: framed.length > 0 ? framed : [this.#padId] });
    }
    return windows;
  }

  /**
   * The text of token ids; special tokens have none, since {@link windows} puts its own around a text.
   *
   * @throws PouwError `unknown_token_id`.
   */
  decode(ids: readonly number[]): string {
    this.#vocabulary ??= new Set(this.#tokenizer.get_vocab().values());
    const vocabulary = this.#vocabulary;
    const unknown = ids.find((id) => !vocabulary.has(id));
    if (unknown !== undefined) throw unknownTokenId(this.id, unknown);
    if (ids.length === 0) return '';
    return this.#tokenizer.decode([...ids], { skip_special_tokens: true, clean_up_tokenization_spaces: false });
  }

  /** Sums the token vectors of each window; padding counts for nothing. One row of `dimensions` for each window. */
  async sums(windows: readonly Window[]): Promise<Float64Array[]> {
    const width = Math.max(...windows.map((window) => window.ids.length));
    const inputIds = new BigInt64Array(windows.length * width).fill(BigInt(this.#padId));
    const mask = new BigInt64Array(windows.length * width);
    windows.forEach(({ ids }, row) => {
      ids.forEach((id, column) => {
        inputIds[row * width + column] = BigInt(id);
        mask[row * width + column] = 1n;
      });
    });
    const dims = [windows.length, width];
    const outputs = await forward(this.#model, {
      input_ids: new Tensor('int64', inputIds, dims),
      attention_mask: new Tensor('int64', mask, dims),
      token_type_ids: new Tensor('int64', new BigInt64Array(inputIds.length), dims),
    });
    const hidden = outputs['last_hidden_state'] ?? outputs['token_embeddings'];
    if (hidden === undefined)
      throw new PouwError('inference_failed', `Model ${this.id} gave no hidden states.`, {
        why: 'It is not a sentence-embedding model.',
      });
    const vectors = floats(hidden);
    return windows.map(({ ids }, row) => this.#sumRow(vectors, row * width, ids.length));
  }

  #sumRow(vectors: Float32Array, firstToken: number, tokens: number): Float64Array {
    const sum = new Float64Array(this.dimensions);
    for (let token = firstToken; token < firstToken + tokens; token++) {
      const at = token * this.dimensions;
      for (let axis = 0; axis < this.dimensions; axis++)
        sum[axis] = (sum[axis] as number) + (vectors[at + axis] as number);
    }
    return sum;
  }

  async dispose(): Promise<void> {
    await this.#model.dispose();
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import { assert, present } from '../../core/assert.ts';
import { PouwError } from '../../core/errors.ts';
import { hashJson, sha256 } from '../../core/hash.ts';
import type { FinishReason } from '../../core/precommit.ts';
import { checkRequest, checkTexts, unknownTokenId } from '../../ports/inference-request.ts';
import type {
  GenerateEvent,
  GenerateRequest,
  Inference,
  LoadProgress,
  ModelInfo,
  Prompt,
} from '../../ports/inference.ts';

/** One answer as a real model once gave it. */
export interface Recording {
  readonly prompt: Prompt;
  readonly promptTokens: number;
  /** Ids of the answer with the text each completed. */
  readonly tokens: readonly { readonly id: number; readonly text: string }[];
  readonly finishReason: FinishReason;
}

/** What is replayed, and how fast. */
export interface RecordedInferenceOptions {
  /** Answers, at least one. A prompt that was not recorded gets one of them, always the same. */
  readonly recordings: readonly Recording[];
  /** Name of the chat model. Default `recorded-chat`. */
  readonly chatModel?: string;
  /** Name of the embedding model. Default `recorded-embed`. */
  readonly embeddingModel?: string;
  /** Milliseconds between two tokens. Default 0: as fast as they are taken. */
  readonly tokenDelayMs?: number;
}

const embeddingDimensions = 64;
const contextTokens = 8_192;

/**
 * FOR BENCHMARKS ONLY: replays recorded answers, so that a measurement shows what the network costs
 * without the model. **It runs no model.** Seed, temperature and log-probabilities are ignored, every miner
 * gives the same answer, and **`embed` is no semantic embedding**: it hashes the words of a text into a fixed
 * vector, so equal texts have cosine 1 and texts that share words more than others, and nothing else can be
 * read from it, and its tokens for `decode` are bytes. Results of it prove nothing about validation.
 *
 * @example
 * const recordings = [await record(inference, request)];
 * const replayed = createRecordedInference({ recordings });
 */
export function createRecordedInference(options: RecordedInferenceOptions): Inference {
  return new RecordedInference(options);
}

/** Runs a request on a real engine and keeps its answer for {@link createRecordedInference}. */
export async function record(inference: Inference, request: GenerateRequest): Promise<Recording> {
  const tokens: { id: number; text: string }[] = [];
  for await (const event of inference.generate(request)) {
    if (event.type === 'token') {
      tokens.push({ id: event.id, text: event.text });
      continue;
    }
    if (event.type === 'prefix') continue;
    const last = tokens.at(-1);
    if (last !== undefined) last.text += event.text;
    return { prompt: request.prompt, promptTokens: event.promptTokens, tokens, finishReason: event.finishReason };
  }
  throw new PouwError('inference_failed', 'The generation ended without its last event.');
}

class RecordedInference implements Inference {
  readonly #infos: readonly ModelInfo[];
  readonly #byPrompt: ReadonlyMap<string, Recording>;
  readonly #recordings: readonly Recording[];
  readonly #tokenDelayMs: number;
  readonly #loaded = new Map<string, ModelInfo>();
  #closed = false;

  constructor(options: RecordedInferenceOptions) {
    assert(options.recordings.length > 0, 'there must be at least one recording');
    this.#recordings = options.recordings;
    this.#byPrompt = new Map(options.recordings.map((recording) => [hashJson(recording.prompt), recording]));
    this.#tokenDelayMs = options.tokenDelayMs ?? 0;
    this.#infos = [
      { id: options.chatModel ?? 'recorded-chat', kind: 'chat', contextTokens, dimensions: 0, device: 'cpu' },
      {
        id: options.embeddingModel ?? 'recorded-embed',
        kind: 'embedding',
        contextTokens,
        dimensions: embeddingDimensions,
        device: 'cpu',
      },
    ];
  }

  async load(model: string, _onProgress?: (progress: LoadProgress) => void): Promise<ModelInfo> {
    const info = this.#infos.find((candidate) => candidate.id === model);
    if (info === undefined) throw notFound(model, this.#infos);
    this.#loaded.set(model, info);
    return info;
  }

  models(): readonly ModelInfo[] {
    return [...this.#loaded.values()];
  }

  async countTokens(model: string, prompt: Prompt): Promise<number> {
    this.#require(model, 'chat');
    return this.#find(prompt).promptTokens;
  }

  async *generate(request: GenerateRequest): AsyncGenerator<GenerateEvent> {
    checkRequest(request);
    this.#require(request.model, 'chat');
    const recording = this.#find(request.prompt);
    const deadline = performance.now() + request.timeoutMs;
    const { signal, prefix = [] } = request;
    const { texts, finishReason } = answerOf(recording, request);
    const tokens = [...prefix];
    const done = (reason: FinishReason): GenerateEvent => ({
      type: 'done',
      prefixText: texts.slice(0, prefix.length).join(''),
      text: '',
      finishReason: reason,
      tokens,
      promptTokens: recording.promptTokens,
      outputTokens: tokens.length,
    });
    if (prefix.length > 0) yield { type: 'prefix', texts: texts.slice(0, prefix.length) };
    for (let index = prefix.length; index < texts.length; index++) {
      if (this.#tokenDelayMs > 0) await sleep(this.#tokenDelayMs);
      if (signal?.aborted === true) break;
      if (this.#closed) throw closedError();
      if (performance.now() > deadline) throw timedOut(request.timeoutMs);
      const { id } = present(recording.tokens[index], 'the recorded token');
      tokens.push(id);
      yield { type: 'token', index, id, text: texts[index] ?? '' };
    }
    yield done(signal?.aborted === true ? 'cancelled' : finishReason);
  }

  async embed(
    model: string,
    texts: readonly string[],
    signal?: AbortSignal,
  ): Promise<{ readonly vectors: readonly Float32Array[]; readonly tokens: number }> {
    this.#require(model, 'embedding');
    checkTexts(texts);
    signal?.throwIfAborted();
    const words = texts.map((text) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? ['']);
    return { vectors: words.map(hashedVector), tokens: words.reduce((sum, list) => sum + list.length, 0) };
  }

  async decode(model: string, lists: readonly (readonly number[])[]): Promise<readonly string[]> {
    this.#require(model, 'embedding');
    return lists.map((ids) => {
      const unknown = ids.find((id) => id > 255);
      if (unknown !== undefined) throw unknownTokenId(model, unknown);
      return new TextDecoder().decode(Uint8Array.from(ids));
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #find(prompt: Prompt): Recording {
    const key = hashJson(prompt);
    const other = this.#recordings[Number.parseInt(key.slice(0, 8), 16) % this.#recordings.length];
    return present(this.#byPrompt.get(key) ?? other, 'the recording');
  }

  #require(model: string, kind: ModelInfo['kind']): void {
    if (this.#closed) throw closedError();
    const info = this.#loaded.get(model);
    if (info === undefined) throw notFound(model, this.models());
    if (info.kind === kind) return;
    throw new PouwError('model_kind_mismatch', `Model ${JSON.stringify(model)} is not of kind ${kind}.`, {
      class: 'invalid',
      param: 'model',
    });
  }
}

/** The text of each token of the answer to a request, cut by its bound and stop strings, and why it ends there. */
function answerOf(
  recording: Recording,
  request: GenerateRequest,
): { texts: readonly string[]; finishReason: FinishReason } {
  const all = recording.tokens.map((token) => token.text);
  const whole = all.join('');
  const stops = (request.stop ?? []).map((stop) => whole.indexOf(stop)).filter((at) => at >= 0);
  const end = Math.min(whole.length, ...stops);
  const texts: string[] = [];
  let chars = 0;
  for (const text of all) {
    if (texts.length >= request.maxTokens) return { texts, finishReason: 'length' };
    if (stops.length > 0 && chars >= end) return { texts, finishReason: 'stop' };
    texts.push(text.slice(0, end - chars));
    chars += text.length;
  }
  return { texts, finishReason: stops.length > 0 ? 'stop' : recording.finishReason };
}

/** One sign per axis from each word's hash, summed and normalised: a fingerprint of the words, not of their meaning. */
function hashedVector(words: readonly string[]): Float32Array {
  const sum = new Float64Array(embeddingDimensions);
  for (const word of words) {
    const bits = BigInt(`0x${sha256(word).slice(0, embeddingDimensions / 4)}`);
    for (let axis = 0; axis < embeddingDimensions; axis++) {
      sum[axis] = (sum[axis] ?? 0) + ((bits >> BigInt(axis)) & 1n ? 1 : -1);
    }
  }
  const norm = Math.sqrt(sum.reduce((total, value) => total + value * value, 0)) || 1;
  return Float32Array.from(sum, (value) => value / norm);
}

function notFound(model: string, known: readonly ModelInfo[]): PouwError {
  const names = known.map((info) => info.id);
  return new PouwError('model_not_found', `There is no model ${JSON.stringify(model)}.`, {
    class: 'not-found',
    hint: `Use one of ${names.join(', ')}.`,
    param: 'model',
    details: { known: names },
  });
}

function timedOut(timeoutMs: number): PouwError {
  return new PouwError('generation_timeout', `The generation took longer than ${timeoutMs} ms.`, {
    class: 'timeout',
    details: { timeoutMs },
  });
}

function closedError(): PouwError {
  return new PouwError('inference_failed', 'Inference was closed.', { class: 'unavailable' });
}

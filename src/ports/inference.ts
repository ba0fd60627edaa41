import type { Hex } from '../core/hash.ts';
import type { FinishReason } from '../core/precommit.ts';

/** One message of a chat prompt. */
export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/** A prompt: chat messages (the model's chat template is applied) or plain text (it is not). */
export type Prompt = { readonly messages: readonly ChatMessage[] } | { readonly text: string };

/** How to sample. `temperature` 0 is greedy: exactly the model's arg-max at each position. */
export interface Sampling {
  /** 0 to 2. */
  readonly temperature: number;
  /** 0 to 1, 1 for off. */
  readonly topP: number;
  /** 0 for off. */
  readonly topK: number;
  /** The stream of random numbers, from `samplingSeed`; the same seed gives the same tokens. */
  readonly seed: Hex;
}

/** What to generate. */
export interface GenerateRequest {
  readonly model: string;
  readonly prompt: Prompt;
  /** Tokens already delivered by another miner, which the answer must continue. Default none. */
  readonly prefix?: readonly number[];
  /** Bound on output tokens, the prefix included. */
  readonly maxTokens: number;
  readonly sampling: Sampling;
  /** Strings that end the answer; they are not part of it. */
  readonly stop?: readonly string[];
  /** Log-probabilities to report per token: 0 for none, else the chosen token's and the n best. */
  readonly topLogprobs?: number;
  /** Wall-clock bound; then the generation ends with `generation_timeout`. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** A token and its log-probability. */
export interface TokenLogprob {
  readonly id: number;
  readonly text: string;
  readonly logprob: number;
}

/** What a generation yields: where it continues a prefix that one, then tokens as they are made, then one `done`. */
export type GenerateEvent =
  | {
      readonly type: 'prefix';
      /** The text that each token of the prefix completes; fewer than were given where the answer ends within them. */
      readonly texts: readonly string[];
    }
  | {
      readonly type: 'token';
      /** 0 for the first token of the answer, the prefix included in the count. */
      readonly index: number;
      readonly id: number;
      /** Text this token completes; empty while a character or a possible stop string is unfinished. */
      readonly text: string;
      readonly logprob?: TokenLogprob;
      readonly top?: readonly TokenLogprob[];
    }
  | {
      readonly type: 'done';
      /** Text of the prefix, which no `token` event carries; empty without one. */
      readonly prefixText: string;
      /** Text held back until now. */
      readonly text: string;
      readonly finishReason: FinishReason;
      /** All token ids of the answer, the prefix included, the end-of-text token not. */
      readonly tokens: readonly number[];
      readonly promptTokens: number;
      readonly outputTokens: number;
    };

/** A model as the network sees it. */
export interface ModelInfo {
  readonly id: string;
  readonly kind: 'chat' | 'embedding';
  /** Tokens the model can hold, prompt and answer together. */
  readonly contextTokens: number;
  /** Embedding width; 0 for chat models. */
  readonly dimensions: number;
  /** `cpu`, `cuda` or `webgpu`: where it runs. */
  readonly device: string;
}

/** How far a load has come. */
export interface LoadProgress {
  readonly model: string;
  readonly file: string;
  readonly loadedBytes: number;
  readonly totalBytes: number;
}

/**
 * Runs models. `test/features/inference.features.ts` is its contract.
 *
 * Errors: `model_not_found`, `model_unreachable`, `model_not_supported`, `model_kind_mismatch`, `device_unavailable`,
 * `prompt_too_long`, `invalid_prompt`, `invalid_sampling`, `unknown_token_id`, `generation_timeout`, `inference_busy`,
 * `inference_failed`.
 */
export interface Inference {
  /** Loads a model unless it is loaded. */
  load(model: string, onProgress?: (progress: LoadProgress) => void): Promise<ModelInfo>;
  /** The loaded models. */
  models(): readonly ModelInfo[];
  /** Tokens of a prompt after the chat template. */
  countTokens(model: string, prompt: Prompt): Promise<number>;
  /**
   * Streams an answer. Returning early cancels the generation and frees its place; an aborted signal ends it
   * with a `done` event whose reason is `cancelled`.
   */
  generate(request: GenerateRequest): AsyncIterable<GenerateEvent>;
  /** L2-normalised embeddings, one per text, and the tokens they took. */
  embed(
    model: string,
    texts: readonly string[],
    signal?: AbortSignal,
  ): Promise<{ readonly vectors: readonly Float32Array[]; readonly tokens: number }>;
  /**
   * The texts that ids of an embedding model's own tokenizer stand for, one per list. Special tokens have none, and bytes
   * that are no whole character become U+FFFD.
   *
   * @throws PouwError `unknown_token_id` for an id outside the vocabulary.
   */
  decode(model: string, lists: readonly (readonly number[])[]): Promise<readonly string[]>;
  /** How many generations and embeddings run, and how many wait for a place; left out where nothing waits. */
  occupancy?(): { readonly running: number; readonly waiting: number };
  close(): Promise<void>;
}

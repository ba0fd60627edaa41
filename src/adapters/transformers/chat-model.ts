import { DynamicCache, type PreTrainedModel, type PreTrainedTokenizer, Tensor } from '@huggingface/transformers';
import { PouwError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { promptCharsOf, promptTooLong } from '../../ports/inference-request.ts';
import type { Prompt } from '../../ports/inference.ts';
import { floats, forward } from './forward.ts';

/** What one forward pass left for the next: keys and values of every token seen. */
export interface DecoderState {
  readonly cache: DynamicCache;
  /** Tokens in the cache. */
  readonly length: number;
}

/** The logits after the last token of a forward pass, valid until the next pass, and the state with it. */
export interface ForwardResult {
  readonly logits: Float32Array;
  readonly state: DecoderState;
}

/** A causal language model with its tokenizer: text to ids, ids to logits, ids to text. */
export class ChatModel {
  readonly id: string;
  readonly contextTokens: number;
  /** Tokens that end an answer. */
  readonly endIds: ReadonlySet<number>;
  readonly #model: PreTrainedModel;
  readonly #tokenizer: PreTrainedTokenizer;

  constructor(id: string, model: PreTrainedModel, tokenizer: PreTrainedTokenizer, contextTokens: number) {
    this.id = id;
    this.contextTokens = contextTokens;
    this.#model = model;
    this.#tokenizer = tokenizer;
    this.endIds = new Set(endIds(model));
  }

  /**
   * Token ids of a prompt: messages through the model's chat template, text as the library's own
   * text-generation pipeline takes it.
   *
   * @throws PouwError `prompt_too_long`, `invalid_prompt`.
   */
  promptIds(prompt: Prompt): number[] {
    const chars = promptCharsOf(prompt);
    if (chars > limits.promptCharsMax) throw promptTooLong(chars, limits.promptCharsMax, 'characters');
    const ids = 'text' in prompt ? this.#textIds(prompt.text) : this.#messageIds(prompt.messages);
    if (ids.length === 0) {
      throw new PouwError('invalid_prompt', 'The prompt is empty.', {
        class: 'invalid',
        hint: 'Send at least one message with content.',
        param: 'prompt',
      });
    }
    // At least one token of the answer must fit beside it.
    if (ids.length >= this.contextTokens) throw promptTooLong(ids.length, this.contextTokens - 1, 'tokens');
    return ids;
  }

  #textIds(text: string): number[] {
    const specials = Boolean(this.#tokenizer.add_bos_token) || Boolean(this.#tokenizer.add_eos_token);
    return this.#tokenizer.encode(text, { add_special_tokens: specials });
  }

  #messageIds(messages: Extract<Prompt, { messages: unknown }>['messages']): number[] {
    if (typeof this.#tokenizer.chat_template !== 'string' && !Array.isArray(this.#tokenizer.chat_template)) {
      throw new PouwError('invalid_prompt', `Model ${this.id} has no chat template.`, {
        class: 'invalid',
        hint: 'Send the prompt as text (completions), or use an instruction-tuned model.',
        param: 'messages',
      });
    }
    return this.#tokenizer.apply_chat_template(
      messages.map(({ role, content }) => ({ role, content })),
      { add_generation_prompt: true, return_tensor: false, return_dict: false },
    );
  }

  /** @throws PouwError `invalid_prompt` where a prefix has ids this model does not know. */
  checkPrefix(prefix: readonly number[]): void {
    const vocabulary: unknown = Reflect.get(this.#model.config, 'vocab_size');
    const unknownId = typeof vocabulary === 'number' ? prefix.find((id) => id >= vocabulary) : undefined;
    if (unknownId === undefined) return;
    throw new PouwError(
      'invalid_prompt',
      `The prefix has token ${unknownId}; ${this.id} knows ${String(vocabulary)} tokens.`,
      {
        class: 'invalid',
        why: 'The prefix was made by another model.',
        param: 'prefix',
      },
    );
  }

  /** Text of answer ids; special tokens have none. Spaces stay as they are, or pieces would not add up. */
  decode(ids: readonly number[]): string {
    return this.#tokenizer.decode([...ids], { skip_special_tokens: true, clean_up_tokenization_spaces: false });
  }

  /** One token as a person would name it, special tokens included. */
  tokenText(id: number): string {
    return this.#tokenizer.decode([id], { skip_special_tokens: false, clean_up_tokenization_spaces: false });
  }

  /** Runs the model over `ids` after what `state` has seen; the state is used up by it. */
  async forward(ids: readonly number[], state: DecoderState | undefined): Promise<ForwardResult> {
    const length = (state?.length ?? 0) + ids.length;
    const outputs = await forward(this.#model, {
      input_ids: new Tensor('int64', BigInt64Array.from(ids, BigInt), [1, ids.length]),
      attention_mask: new Tensor('int64', new BigInt64Array(length).fill(1n), [1, length]),
      past_key_values: state?.cache ?? null,
      // Read only by models that can leave out the logits nobody looks at.
      num_logits_to_keep: new Tensor('int64', BigInt64Array.of(1n), []),
    });
    const cache = state?.cache ?? new DynamicCache();
    const { logits, ...others } = outputs;
    if (logits === undefined)
      throw new PouwError('inference_failed', `Model ${this.id} gave no logits.`, {
        why: 'It is not a causal language model.',
      });
    cache.update(pastFromPresent(others));
    return { logits: lastRow(logits), state: { cache, length } };
  }

  async dispose(): Promise<void> {
    await this.#model.dispose();
  }
}

/** The outputs a decoder gives back in the next pass, under the names it takes them by (`present.0.key` → `past_key_values.0.key`). */
function pastFromPresent(outputs: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  const past: Record<string, Tensor> = {};
  for (const [name, tensor] of Object.entries(outputs)) {
    if (name.startsWith('present.')) past[`past_key_values.${name.slice('present.'.length)}`] = tensor;
    else if (name.startsWith('present_')) past[`past_${name.slice('present_'.length)}`] = tensor;
  }
  return past;
}

function lastRow(logits: Tensor): Float32Array {
  const data = floats(logits);
  return data.subarray(data.length - (logits.dims.at(-1) ?? 0));
}

function endIds(model: PreTrainedModel): readonly number[] {
  const configured: unknown = model.generation_config?.eos_token_id ?? Reflect.get(model.config, 'eos_token_id');
  const ids: readonly unknown[] = Array.isArray(configured) ? configured : [configured];
  return ids.filter((id) => typeof id === 'number');
}

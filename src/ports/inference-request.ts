import { PouwError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { GenerateRequest, Prompt } from './inference.ts';

const seedPattern = /^0x[0-9a-f]{64}$/;

/**
 * What every adapter of the port refuses before anything is queued: a request that cannot be meant.
 *
 * @throws PouwError `invalid_sampling` naming the field, `invalid_prompt`, `prompt_too_long`.
 */
export function checkRequest(request: GenerateRequest): void {
  const { sampling } = request;
  requireRange('temperature', sampling.temperature, 0, 2);
  requireRange('topP', sampling.topP, 0, 1);
  requireInteger('topK', sampling.topK, 0, Number.MAX_SAFE_INTEGER);
  requireInteger('maxTokens', request.maxTokens, 1, limits.outputTokensMax);
  requireInteger('topLogprobs', request.topLogprobs ?? 0, 0, limits.topLogprobsMax);
  requireInteger('timeoutMs', Math.ceil(request.timeoutMs), 1, limits.generationMsMax);
  if (!seedPattern.test(sampling.seed)) throw invalid('seed', 'it must be 0x and 64 lower-case hexadecimal digits');
  checkStops(request.stop ?? []);
  checkPrefix(request.prefix ?? []);
  const chars = promptCharsOf(request.prompt);
  if (chars > limits.promptCharsMax) throw promptTooLong(chars, limits.promptCharsMax, 'characters');
}

function checkStops(stops: readonly string[]): void {
  if (stops.length > limits.stopStringsMax)
    throw invalid('stop', `there may be at most ${limits.stopStringsMax} stop strings`);
  const bad = stops.find((stop) => stop.length < 1 || stop.length > limits.stopStringCharsMax);
  if (bad !== undefined) throw invalid('stop', `a stop string has 1 to ${limits.stopStringCharsMax} characters`);
}

function checkPrefix(prefix: readonly number[]): void {
  if (prefix.length > limits.outputTokensMax)
    throw invalid('prefix', `it may have at most ${limits.outputTokensMax} tokens`);
  if (!prefix.every((id) => Number.isSafeInteger(id) && id >= 0))
    throw invalid('prefix', 'token ids are whole numbers from 0');
}

function requireRange(name: string, value: number, min: number, max: number): void {
  if (!(value >= min && value <= max)) throw invalid(name, `it must be from ${min} to ${max}, not ${value}`);
}

function requireInteger(name: string, value: number, min: number, max: number): void {
  if (!(Number.isSafeInteger(value) && value >= min && value <= max)) {
    throw invalid(name, `it must be a whole number from ${min} to ${max}, not ${value}`);
  }
}

function invalid(param: string, why: string): PouwError {
  return new PouwError('invalid_sampling', `The request's ${param} is not valid: ${why}.`, {
    class: 'invalid',
    hint: 'Correct the field and send the request again.',
    param,
  });
}

/**
 * Refuses texts that are too many or too long to embed.
 *
 * @throws PouwError `invalid_prompt`, `prompt_too_long`.
 */
export function checkTexts(texts: readonly string[]): void {
  if (texts.length < 1 || texts.length > limits.embeddingInputsMax) {
    throw new PouwError(
      'invalid_prompt',
      `There are ${texts.length} texts to embed; 1 to ${limits.embeddingInputsMax} are allowed.`,
      {
        class: 'invalid',
        hint: 'Split the request.',
        param: 'input',
      },
    );
  }
  const longest = texts.reduce((max, text) => Math.max(max, text.length), 0);
  if (longest > limits.promptCharsMax) throw promptTooLong(longest, limits.promptCharsMax, 'characters');
}

/** The error for a token id that a model's tokenizer does not have. */
export function unknownTokenId(model: string, id: number): PouwError {
  return new PouwError('unknown_token_id', `${model} has no token ${id}.`, {
    class: 'invalid',
    why: "Token ids are those of the model's own tokenizer; another tokenizer's mean something else here, or nothing.",
    hint: 'Send the text: it means the same to every model. In LangChain for Python, set check_embedding_ctx_length=False.',
    param: 'input',
    details: { id },
  });
}

/** Characters of a prompt, all messages together. */
export function promptCharsOf(prompt: Prompt): number {
  if ('text' in prompt) return prompt.text.length;
  return prompt.messages.reduce((sum, message) => sum + message.content.length, 0);
}

/** The error for a prompt that does not fit, with its size and the limit in the same unit. */
export function promptTooLong(
  size: number,
  limit: number,
  unit: 'characters' | 'tokens' | 'messages' | 'bytes',
): PouwError {
  return new PouwError('prompt_too_long', `The prompt has ${size} ${unit}; at most ${limit} fit.`, {
    class: 'too-large',
    hint: 'Shorten the prompt, drop old messages, or use a model with a longer context.',
    param: 'prompt',
    details: { size, limit, unit },
  });
}

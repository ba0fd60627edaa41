import { z } from 'zod';
import { limits } from '../../core/limits.ts';
import { type Wei, wei, zeroWei } from '../../core/wei.ts';
import type { Delivery, TaskRequest } from '../../ports/gateway-network.ts';
import { promptCharsOf, promptTooLong } from '../../ports/inference-request.ts';
import type { Prompt } from '../../ports/inference.ts';
import { text } from './parse.ts';

/**
 * Used where a request gives no `temperature`: greedy. Validation of level 1 compares the answers of independent
 * miners, and only greedy decoding makes honest ones agree word for word.
 */
export const defaultTemperature = 0;

/** Used where a request gives no bound on its output tokens; it bounds what the task can cost, too. */
export const defaultMaxTokens = 256;

/** An amount of wei as clients send it: a decimal string that fits the contract's `uint128`. */
export const weiAmount = z
  .string()
  .refine((digits) => /^\d+$/.test(digits), { message: 'must be a decimal string of wei', abort: true })
  // 39 digits can be too many, 40 always are: no bigger number is ever made of them.
  .refine((digits) => digits.length <= 39 && BigInt(digits) < 2n ** 128n, { message: 'must fit 128 bits', abort: true })
  .transform((digits): Wei => wei(digits));

/** The fields that all requests for a generation share. */
export const samplingFields = {
  temperature: z.number().min(0).max(2).optional(),
  top_p: z.number().min(0).max(1).optional(),
  top_k: z.int().min(0).optional(),
  stop: z
    .union([stopString(), z.array(stopString()).max(limits.stopStringsMax)])
    .transform((stop) => (typeof stop === 'string' ? [stop] : stop))
    .optional(),
  // Accepted and without effect: each miner must draw under a seed of its own, or a copied answer could not be told.
  seed: z.int().optional(),
  x_pouw: z
    .object({
      delivery: z.enum(['fast', 'verified']).optional(),
      max_price_wei: weiAmount.refine((amount) => amount !== zeroWei, 'must be more than nothing').optional(),
    })
    .optional(),
} as const;

/** A bound on output tokens. */
export const tokenBound = z.int().min(1).max(limits.outputTokensMax).optional();

/** The fields that chat, completion and native task requests share. */
export const taskFields = {
  ...samplingFields,
  max_tokens: tokenBound,
  max_completion_tokens: tokenBound,
} as const;

/** `stream` and its options, of all requests that may be streamed. */
export const streamFields = {
  stream: z.boolean().optional(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).optional(),
} as const;

const taskFieldsSchema = z.object(taskFields);
const streamFieldsSchema = z.object(streamFields);

/** A task as its request describes it: all but the session, and the request id that a header may give. */
export type WantedTask = Omit<TaskRequest, 'session' | 'requestId' | 'delivery'>;

/** A generation as a client asks for it. */
export interface WantedGeneration {
  readonly task: WantedTask;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  /** How a stream is delivered. */
  readonly delivery: Delivery;
  /** Alternatives shown per token; undefined where no log-probabilities were asked for. */
  readonly topLogprobs: number | undefined;
}

/** The task that the shared fields describe. */
export function wantedTask(
  fields: z.output<typeof taskFieldsSchema>,
  given: { readonly model: string; readonly prompt: Prompt; readonly topLogprobs: number },
): WantedTask {
  const maxPriceWei = fields.x_pouw?.max_price_wei;
  return {
    ...given,
    sampling: {
      temperature: fields.temperature ?? defaultTemperature,
      topP: fields.top_p ?? 1,
      topK: fields.top_k ?? 0,
    },
    maxTokens: fields.max_completion_tokens ?? fields.max_tokens ?? defaultMaxTokens,
    stop: fields.stop ?? [],
    ...(maxPriceWei === undefined ? {} : { maxPriceWei }),
  };
}

/** How the answer to the shared fields is delivered. */
export function wantedDelivery(
  fields: z.output<typeof taskFieldsSchema> & z.output<typeof streamFieldsSchema>,
): Pick<WantedGeneration, 'stream' | 'includeUsage' | 'delivery'> {
  return {
    stream: fields.stream ?? false,
    includeUsage: fields.stream_options?.include_usage ?? false,
    delivery: fields.x_pouw?.delivery ?? 'fast',
  };
}

/** @throws PouwError `prompt_too_long` beyond the bounds on messages and on the characters of all of them together. */
export function checkPromptSize(prompt: Prompt): Prompt {
  const messages = 'text' in prompt ? 1 : prompt.messages.length;
  if (messages > limits.promptMessagesMax) throw promptTooLong(messages, limits.promptMessagesMax, 'messages');
  const chars = promptCharsOf(prompt);
  if (chars > limits.promptCharsMax) throw promptTooLong(chars, limits.promptCharsMax, 'characters');
  return prompt;
}

function stopString(): typeof text {
  return text.min(1).max(limits.stopStringCharsMax);
}

import { z } from 'zod';
import { limits } from '../../core/limits.ts';
import type { ChatMessage } from '../../ports/inference.ts';
import type { ResponseEcho } from '../answers/response-format.ts';
import { chatMessage, chatRole, refusalPart } from './chat-request.ts';
import { fieldsOf, parse, text } from './parse.ts';
import {
  checkPromptSize,
  samplingFields,
  streamFields,
  tokenBound,
  type WantedGeneration,
  wantedDelivery,
  wantedTask,
} from './task-fields.ts';
import { refuseUnsupported, responsesRefusals, unsupported } from './unsupported.ts';

/** What asks for log-probabilities. */
const logprobsIncluded = 'message.output_text.logprobs';

/** The forms of a content part that models can read; `text` is chat's and is told so by the schema. */
const knownParts: ReadonlySet<string> = new Set(['input_text', 'output_text', 'refusal', 'text']);

const textPart = z.object({ type: z.enum(['input_text', 'output_text']), text });

/** Messages as clients write them, and as responses have them in their `output`. */
const inputItem = z.object({
  type: z.literal('message').nullish(),
  role: chatRole,
  content: z.union([text, z.array(z.discriminatedUnion('type', [textPart, refusalPart])).min(1)]),
});

const metadata = z
  .record(z.string().max(limits.metadataKeyCharsMax), z.string().max(limits.metadataValueCharsMax))
  .refine((pairs) => Object.keys(pairs).length <= limits.metadataPairsMax, {
    message: `there may be at most ${limits.metadataPairsMax} pairs`,
  });

const responsesRequest = z.object({
  model: text.min(1),
  input: z.union([text.min(1), z.array(inputItem).min(1)]),
  instructions: text.optional(),
  max_output_tokens: tokenBound,
  ...samplingFields,
  ...streamFields,
  include: z.array(z.string()).optional(),
  top_logprobs: z.int().min(0).max(limits.topLogprobsMax).optional(),
  metadata: metadata.optional(),
});

/** A response as a client asks for it. */
export interface WantedResponse {
  readonly generation: WantedGeneration;
  readonly echo: ResponseEcho;
}

/**
 * Reads the body of `POST /v1/responses`.
 *
 * @throws PouwError `invalid_request`, `unsupported_parameter`, `prompt_too_long`.
 */
export function readResponsesRequest(body: unknown): WantedResponse {
  refuseUnsupported(body, responsesRefusals);
  refuseUnsupportedItems(fieldsOf(body)['input']);
  const request = parse(responsesRequest, body);
  const { instructions, max_output_tokens: maxOutputTokens } = request;
  const asked = request.top_logprobs ?? 0;
  const topLogprobs = asked > 0 || request.include?.includes(logprobsIncluded) === true ? asked : undefined;
  const prompt = checkPromptSize({ messages: messagesOf(request) });
  const task = wantedTask(
    { ...request, max_completion_tokens: maxOutputTokens },
    { model: request.model, prompt, topLogprobs: topLogprobs === undefined ? 0 : Math.max(1, topLogprobs) },
  );
  const { temperature, topP } = task.sampling;
  return {
    generation: { task, ...wantedDelivery(request), topLogprobs },
    echo: {
      instructions: instructions ?? null,
      metadata: request.metadata ?? {},
      maxOutputTokens: task.maxTokens,
      temperature,
      topP,
    },
  };
}

function messagesOf({ instructions, input }: z.output<typeof responsesRequest>): readonly ChatMessage[] {
  const said: readonly ChatMessage[] =
    typeof input === 'string' ? [{ role: 'user', content: input }] : input.map(chatMessage);
  return instructions === undefined ? said : [{ role: 'system', content: instructions }, ...said];
}

/** Says of input what cannot be honoured in it, where the schema would only find it malformed. */
function refuseUnsupportedItems(input: unknown): void {
  if (!Array.isArray(input)) return;
  input.forEach((item: unknown, index) => {
    const { type, content } = fieldsOf(item);
    const param = `input[${index}]`;
    if (type === 'item_reference') {
      throw unsupported(
        param,
        'No response is kept, so its items cannot be referred to.',
        "Send the item itself; Vercel's `ai` does with `providerOptions: { openai: { store: false } }`.",
      );
    }
    if (typeof type === 'string' && type !== 'message') {
      throw unsupported(param, `The models read messages and call no tools; this is a ${type}.`);
    }
    if (!Array.isArray(content)) return;
    content.forEach((part: unknown, partIndex) => {
      const { type: form } = fieldsOf(part);
      if (typeof form !== 'string' || knownParts.has(form)) return;
      throw unsupported(`${param}.content[${partIndex}]`, `The models read text, not ${form}.`, 'Send text.');
    });
  });
}

import { z } from 'zod';
import { limits } from '../../core/limits.ts';
import type { ChatMessage } from '../../ports/inference.ts';
import { fieldsOf, parse, text } from './parse.ts';
import {
  checkPromptSize,
  streamFields,
  taskFields,
  type WantedGeneration,
  wantedDelivery,
  wantedTask,
} from './task-fields.ts';
import { chatRefusals, refuseUnsupported, unsupported } from './unsupported.ts';

const textPart = z.object({ type: z.literal('text'), text });

/** Who a message is from; `developer` is what `system` is called now. */
export const chatRole = z.enum(['system', 'developer', 'user', 'assistant']);

/** What an assistant said in place of an answer. */
export const refusalPart = z.object({ type: z.literal('refusal'), refusal: text });

/** Messages as OpenAI's clients send them: content may be in parts. */
export const chatMessages = z
  .array(
    z
      .object({
        role: chatRole,
        content: z.union([text, z.array(z.discriminatedUnion('type', [textPart, refusalPart])).min(1)]).nullish(),
      })
      .refine(({ role, content }) => role === 'assistant' || (content ?? undefined) !== undefined, {
        path: ['content'],
        message: "only an assistant's message may be without one",
      }),
  )
  .min(1)
  .transform((messages) => messages.map(chatMessage));

const chatRequest = z.object({
  model: text.min(1),
  messages: chatMessages,
  ...taskFields,
  ...streamFields,
  logprobs: z.boolean().optional(),
  top_logprobs: z.int().min(0).max(limits.topLogprobsMax).optional(),
});

/**
 * Reads the body of `POST /v1/chat/completions`.
 *
 * @throws PouwError `invalid_request`, `unsupported_parameter`, `prompt_too_long`.
 */
export function readChatRequest(body: unknown): WantedGeneration {
  refuseUnsupported(body, chatRefusals);
  refuseUnsupportedMessages(fieldsOf(body)['messages']);
  const request = parse(chatRequest, body);
  const topLogprobs = request.logprobs === true ? (request.top_logprobs ?? 0) : undefined;
  const prompt = checkPromptSize({ messages: request.messages });
  return {
    // A token's own log-probability is reported from one alternative on.
    task: wantedTask(request, {
      model: request.model,
      prompt,
      topLogprobs: topLogprobs === undefined ? 0 : Math.max(1, topLogprobs),
    }),
    ...wantedDelivery(request),
    topLogprobs,
  };
}

/**
 * Says of messages what cannot be honoured in them, where the schema would only find them malformed.
 *
 * @throws PouwError `unsupported_parameter` naming the message or the part.
 */
export function refuseUnsupportedMessages(messages: unknown): void {
  if (!Array.isArray(messages)) return;
  messages.forEach((message: unknown, index) => {
    const { role, content, tool_calls: toolCalls } = fieldsOf(message);
    if (role === 'tool' || role === 'function' || (Array.isArray(toolCalls) && toolCalls.length > 0)) {
      throw unsupported(`messages[${index}]`, 'The models of this network call no tools.');
    }
    if (!Array.isArray(content)) return;
    content.forEach((part: unknown, partIndex) => {
      const { type } = fieldsOf(part);
      if (typeof type === 'string' && type !== 'text' && type !== 'refusal') {
        throw unsupported(
          `messages[${index}].content[${partIndex}]`,
          `The models read text, not ${type}.`,
          'Send text.',
        );
      }
    });
  });
}

/** A message as a client sent it, whatever its parts are called. */
interface SentMessage {
  readonly role: z.output<typeof chatRole>;
  readonly content?: string | readonly ({ readonly text: string } | { readonly refusal: string })[] | null | undefined;
}

/** A message as the models read it. */
export function chatMessage({ role, content }: SentMessage): ChatMessage {
  const said =
    typeof content === 'string'
      ? content
      : (content ?? []).map((part) => ('text' in part ? part.text : part.refusal)).join('');
  return { role: role === 'developer' ? 'system' : role, content: said };
}

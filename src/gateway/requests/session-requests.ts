import { z } from 'zod';
import { PouwError } from '../../core/errors.ts';
import { isTaskId, type TaskId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { zeroWei, type Wei } from '../../core/wei.ts';
import type { Delivery } from '../../ports/gateway-network.ts';
import { chatMessages, refuseUnsupportedMessages } from './chat-request.ts';
import { fieldsOf, parse, text } from './parse.ts';
import { checkPromptSize, taskFields, type WantedTask, wantedTask, weiAmount } from './task-fields.ts';

/** Tasks of a page where the request does not say how many. */
const defaultPageTasks = 20;

const depositRequest = z.object({ amount_wei: weiAmount });

const pageRequest = z.object({
  limit: z.coerce.number().int().min(1).max(limits.pageTasksMax).optional(),
  after: z.string().refine(isTaskId, 'must be a task id').optional(),
});

const taskRequest = z
  .object({
    model: text.min(1).optional(),
    messages: chatMessages.optional(),
    prompt: text.optional(),
    request_id: text.min(1).max(limits.idempotencyKeyCharsMax).optional(),
    ...taskFields,
    top_logprobs: z.int().min(0).max(limits.topLogprobsMax).optional(),
  })
  .refine(
    ({ messages, prompt }) => (messages === undefined) !== (prompt === undefined),
    'needs either `messages` or `prompt`',
  );

/**
 * Reads the body of `POST /v1/sessions/{id}/deposit`.
 *
 * @throws PouwError `invalid_request`, `empty_deposit`.
 */
export function readDeposit(body: unknown): Wei {
  const { amount_wei: amountWei } = parse(depositRequest, body);
  if (amountWei === zeroWei) {
    throw new PouwError('empty_deposit', 'A deposit of nothing changes nothing.', {
      class: 'invalid',
      hint: 'Send `amount_wei` above 0.',
      param: 'amount_wei',
    });
  }
  return amountWei;
}

/**
 * Reads the query of `GET /v1/sessions/{id}/tasks`.
 *
 * @throws PouwError `invalid_request`.
 */
export function readPage(query: unknown): { readonly limit: number; readonly after?: TaskId } {
  const { limit, after } = parse(pageRequest, query);
  return { limit: limit ?? defaultPageTasks, ...(after === undefined ? {} : { after }) };
}

/**
 * Reads the body of `POST /v1/sessions/{id}/tasks`; the model is the session's where the body names none.
 *
 * @throws PouwError `invalid_request`, `unsupported_parameter`, `prompt_too_long`.
 */
export function readTaskRequest(
  body: unknown,
  sessionModel: string,
): { readonly task: WantedTask; readonly delivery: Delivery; readonly requestId: string | undefined } {
  refuseUnsupportedMessages(fieldsOf(body)['messages']);
  const {
    messages,
    prompt,
    model,
    request_id: requestId,
    top_logprobs: topLogprobs,
    ...fields
  } = parse(taskRequest, body);
  return {
    task: wantedTask(fields, {
      model: model ?? sessionModel,
      prompt: checkPromptSize(messages === undefined ? { text: prompt ?? '' } : { messages }),
      topLogprobs: topLogprobs ?? 0,
    }),
    delivery: fields.x_pouw?.delivery ?? 'fast',
    requestId,
  };
}

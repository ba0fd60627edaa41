import { z } from 'zod';
import type { SessionTerms } from '../../core/chain-fact.ts';
import { PouwError } from '../../core/errors.ts';
import { type PromptContent, promptContent, type TaskContent } from '../../messages/bodies.ts';
import type { TaskRequest } from '../../ports/gateway-network.ts';
import type { Inference, ModelInfo } from '../../ports/inference.ts';

/** A request as content, and the tokens of its prompt. */
export interface PreparedTask {
  readonly content: TaskContent;
  readonly promptTokens: number;
  /** What was asked for, cut to what the model can hold beside the prompt. */
  readonly maxTokens: number;
}

/**
 * Checks a request against the session's terms and the model, and makes its content.
 *
 * @throws PouwError `model_not_found`, `prompt_too_long`, `invalid_request`.
 */
export async function prepareTask(
  request: TaskRequest,
  terms: SessionTerms,
  inference: Inference,
): Promise<PreparedTask> {
  if (request.model !== terms.model) {
    throw new PouwError('model_not_found', `The session is for the model ${terms.model}, not for ${request.model}.`, {
      class: 'not-found',
      param: 'model',
      hint: `Use ${terms.model}, or open a session for ${request.model}.`,
    });
  }
  const info = modelInfo(inference, terms.model);
  const promptTokens = await inference.countTokens(terms.model, request.prompt);
  const room = info.contextTokens - promptTokens;
  if (room < 1) {
    throw new PouwError(
      'prompt_too_long',
      `The prompt has ${promptTokens} tokens; ${terms.model} holds ${info.contextTokens}, answer included.`,
      {
        class: 'too-large',
        param: 'messages',
        hint: 'Shorten the prompt.',
      },
    );
  }
  const maxTokens = Math.min(request.maxTokens, room);
  const { prompt, sampling, stop, topLogprobs, maxPriceWei } = request;
  const chat =
    'messages' in prompt
      ? { messages: prompt.messages.map(({ role, content }) => ({ role, content })) }
      : { text: prompt.text };
  const content: PromptContent = {
    kind: 'prompt',
    v: 1,
    model: terms.model,
    prompt: chat,
    sampling,
    stop: [...stop],
    topLogprobs,
    maxTokens,
    ...(maxPriceWei === undefined ? {} : { maxPriceWei }),
  };
  // What no miner would take must not be pinned, put on chain and waited for.
  const parsed = promptContent.safeParse(content);
  if (!parsed.success) throw malformedTask(z.prettifyError(parsed.error));
  return { content, promptTokens, maxTokens };
}

function malformedTask(why: string): PouwError {
  return new PouwError('invalid_request', 'The request makes no task that miners take.', { class: 'invalid', why });
}

function modelInfo(inference: Inference, model: string): ModelInfo {
  const info = inference.models().find((one) => one.id === model && one.kind === 'chat');
  if (info !== undefined) return info;
  throw new PouwError('model_not_found', `The model ${model} is not loaded here.`, {
    class: 'not-found',
    param: 'model',
  });
}

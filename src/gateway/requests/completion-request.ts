import { z } from 'zod';
import { fieldsOf, parse, text } from './parse.ts';
import {
  checkPromptSize,
  streamFields,
  taskFields,
  type WantedGeneration,
  wantedDelivery,
  wantedTask,
} from './task-fields.ts';
import { completionRefusals, refuseUnsupported, unsupported } from './unsupported.ts';

/** Alternatives per token that OpenAI's completions allow. */
const completionLogprobsMax = 5;

const completionRequest = z.object({
  model: text.min(1),
  prompt: z.union([text, z.tuple([text]).transform(([only]) => only)]),
  ...taskFields,
  ...streamFields,
  logprobs: z.int().min(0).max(completionLogprobsMax).optional(),
});

/**
 * Reads the body of `POST /v1/completions`. The prompt is continued as it stands, without a chat template.
 *
 * @throws PouwError `invalid_request`, `unsupported_parameter`, `prompt_too_long`.
 */
export function readCompletionRequest(body: unknown): WantedGeneration {
  refuseUnsupported(body, completionRefusals);
  refusePrompt(fieldsOf(body)['prompt']);
  const request = parse(completionRequest, body);
  const topLogprobs = request.logprobs;
  const prompt = checkPromptSize({ text: request.prompt });
  return {
    task: wantedTask(request, {
      model: request.model,
      prompt,
      topLogprobs: topLogprobs === undefined ? 0 : Math.max(1, topLogprobs),
    }),
    ...wantedDelivery(request),
    topLogprobs,
  };
}

function refusePrompt(prompt: unknown): void {
  if (!Array.isArray(prompt)) return;
  if (prompt.some((item) => typeof item === 'number' || Array.isArray(item))) {
    throw unsupported('prompt', 'Prompts are text here, not token ids.', 'Send the text.');
  }
  if (prompt.length > 1) {
    throw unsupported('prompt', 'One request is one task, and a task has one prompt.', 'Send one request per prompt.');
  }
}

import { z } from 'zod';
import { limits } from '../../core/limits.ts';
import { fieldsOf, parse, text } from './parse.ts';
import { checkPromptSize } from './task-fields.ts';
import { unsupported } from './unsupported.ts';

const input = text.min(1);

const embeddingsRequest = z.object({
  model: text.min(1),
  input: z
    .union([input, z.array(input).min(1).max(limits.embeddingInputsMax)])
    .transform((given) => (typeof given === 'string' ? [given] : given)),
  encoding_format: z.enum(['float', 'base64']).optional(),
  dimensions: z.int().min(1).optional(),
});

/** An embeddings request as the network understands it. */
export interface WantedEmbeddings {
  readonly model: string;
  readonly texts: readonly string[];
  readonly encoding: 'float' | 'base64';
  /** The width the client counts on. */
  readonly dimensions: number | undefined;
}

/**
 * Reads the body of `POST /v1/embeddings`.
 *
 * @throws PouwError `invalid_request`, `unsupported_parameter` for token ids, `prompt_too_long`.
 */
export function readEmbeddingsRequest(body: unknown): WantedEmbeddings {
  const given = fieldsOf(body)['input'];
  if (Array.isArray(given) && given.some((item) => typeof item === 'number' || Array.isArray(item))) {
    throw unsupported(
      'input',
      "Texts are embedded here, not token ids: ids of one model's tokenizer mean something else to another's.",
      'Send the text; in LangChain for Python, set check_embedding_ctx_length=False.',
    );
  }
  const request = parse(embeddingsRequest, body);
  for (const one of request.input) checkPromptSize({ text: one });
  return {
    model: request.model,
    texts: request.input,
    encoding: request.encoding_format ?? 'float',
    dimensions: request.dimensions,
  };
}

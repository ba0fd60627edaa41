import { z } from 'zod';
import { limits } from '../../core/limits.ts';
import { promptTooLong } from '../../ports/inference-request.ts';
import { fieldsOf, invalidField, parse, text } from './parse.ts';
import { checkPromptSize } from './task-fields.ts';

const words = text.min(1);

/** Ids of one text; how many there may be is bounded by the body, as for text. One look at each, and one issue for all. */
const idList = z.custom<readonly number[]>(isIdList, 'Invalid input: expected token ids, whole numbers from 0');

const embeddingsRequest = z.object({
  model: text.min(1),
  encoding_format: z.enum(['float', 'base64']).optional(),
  dimensions: z.int().min(1).optional(),
});
const textInput = z.object({ input: z.union([words, z.array(words).min(1)]) });
const idInput = z.object({ input: idList });
const idListsInput = z.object({ input: z.array(idList) });

/** An embeddings request as the network understands it. */
export interface WantedEmbeddings {
  readonly model: string;
  /** What to embed: texts, or lists of the model's own token ids that stand for texts. */
  readonly input: { readonly texts: readonly string[] } | { readonly ids: readonly (readonly number[])[] };
  readonly encoding: 'float' | 'base64';
  /** The width the client counts on. */
  readonly dimensions: number | undefined;
}

/**
 * Reads the body of `POST /v1/embeddings`.
 *
 * @throws PouwError `invalid_request`, `prompt_too_long`.
 */
export function readEmbeddingsRequest(body: unknown): WantedEmbeddings {
  const { model, encoding_format: encoding = 'float', dimensions } = parse(embeddingsRequest, body);
  return { model, input: readInput(body), encoding, dimensions };
}

/**
 * Holds texts that token ids stood for to the bounds of texts that were sent: none empty, none too long, and all
 * together no more than a body could have brought.
 *
 * @throws PouwError `invalid_request`, `prompt_too_long`.
 */
export function checkDecoded(texts: readonly string[], bytesMax: number): readonly string[] {
  for (const one of texts) checkPromptSize({ text: one });
  const empty = texts.indexOf('');
  if (empty >= 0) throw invalidField(`input[${empty}]`, 'its token ids stand for no text');
  const bytes = texts.reduce((sum, one) => sum + Buffer.byteLength(one), 0);
  if (bytes > bytesMax) throw promptTooLong(bytes, bytesMax, 'bytes');
  return texts;
}

/** Its first element says which form is meant: only that one is looked for, and only its faults are told. */
function readInput(body: unknown): WantedEmbeddings['input'] {
  const given = fieldsOf(body)['input'];
  const list: readonly unknown[] = Array.isArray(given) ? given : [];
  if (typeof list[0] === 'number') return { ids: [parse(idInput, body).input] };
  const max = limits.embeddingInputsMax;
  if (list.length > max) throw invalidField('input', `Too big: expected array to have <=${max} items`);
  if (Array.isArray(list[0])) return { ids: parse(idListsInput, body).input };
  const { input } = parse(textInput, body);
  const texts = typeof input === 'string' ? [input] : input;
  for (const one of texts) checkPromptSize({ text: one });
  return { texts };
}

function isIdList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((id) => Number.isSafeInteger(id) && id >= 0);
}

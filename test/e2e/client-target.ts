import OpenAI from 'openai';
import { expect } from 'vitest';

/** A running gateway, as its clients know it. */
export interface ClientTarget {
  /** Without `/v1`. */
  readonly url: string;
  readonly apiKey: string;
  /** A chat model, and a question it answers with at least 50 tokens at temperature 0. */
  readonly model: string;
  readonly longQuestion: string;
  readonly embeddingModel: string;
  readonly dimensions: number;
  /** Ids of the embedding model's tokenizer, and their text. */
  readonly tokenIds: { readonly ids: readonly number[]; readonly text: string };
  /** The key of a session whose balance covers no task. */
  readonly poorApiKey: string;
}

/** Gives the target once it runs. */
export type Target = () => ClientTarget;

/** A client that does not repeat what fails: a check is about the first answer. */
export function openai({ url, apiKey }: Pick<ClientTarget, 'url' | 'apiKey'>, key = apiKey): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 });
}

/** A GET with the target's key. */
export function get({ url, apiKey }: ClientTarget, path: string): Promise<Response> {
  return fetch(url + path, { headers: { authorization: `Bearer ${apiKey}` } });
}

/** A POST of JSON with the target's key. */
export function post({ url, apiKey }: ClientTarget, path: string, body: object): Promise<Response> {
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' };
  return fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
}

/** The JSON of a GET that must succeed. */
export async function rest(target: ClientTarget, path: string): Promise<Readonly<Record<string, unknown>>> {
  const response = await get(target, path);
  expect(response.status).toBe(200);
  return (await response.json()) as Record<string, unknown>;
}

/** A chat request. */
export function ask(
  { model }: ClientTarget,
  content: string,
  options: object = {},
): OpenAI.Chat.ChatCompletionCreateParamsNonStreaming {
  return { model, messages: [{ role: 'user', content }], ...options };
}

/** All that an iterable gives. */
export async function collect<Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> {
  const collected: Item[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

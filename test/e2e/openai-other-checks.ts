import type OpenAI from 'openai';
import { expect, test } from 'vitest';
import { ask, collect, openai, post, type Target } from './client-target.ts';

/** Completions. */
export function completionChecks(target: Target): void {
  test('continues a prompt, in one piece and as a stream', async () => {
    const request = { model: target().model, prompt: 'Once upon a time', max_tokens: 16 };
    const whole = await openai(target()).completions.create(request);
    expect(whole).toMatchObject({ object: 'text_completion', choices: [{ index: 0, finish_reason: 'length' }] });
    const chunks = await collect(await openai(target()).completions.create({ ...request, stream: true }));
    expect(chunks.map(({ choices }) => choices[0]?.text ?? '').join('')).toBe(whole.choices[0]!.text);
    expect(chunks.at(-1)!.choices[0]!.finish_reason).toBe('length');
    const listed = await openai(target()).completions.create({ ...request, prompt: [request.prompt], logprobs: 2 });
    expect(listed.choices[0]!.text).toBe(whole.choices[0]!.text);
    const { tokens, token_logprobs: logprobs, top_logprobs: top, text_offset: offsets } = listed.choices[0]!.logprobs!;
    expect(tokens!.join('')).toBe(whole.choices[0]!.text);
    expect(logprobs).toHaveLength(16);
    expect(Object.keys(top![0]!)).toHaveLength(2);
    expect(offsets![1]).toBe(tokens![0]!.length);
  });
}

/** Embeddings. */
export function embeddingChecks(target: Target): void {
  test('gets the same embeddings as base64, its default, and as numbers', async () => {
    const request = { model: target().embeddingModel, input: ['the sea', 'a tax form'] };
    const packed = await openai(target()).embeddings.create(request);
    const plain = await openai(target()).embeddings.create({ ...request, encoding_format: 'float' });
    expect(packed.data.map(({ index }) => index)).toEqual([0, 1]);
    expect(packed.data[0]!.embedding).toHaveLength(target().dimensions);
    expect(packed.data.map(({ embedding }) => embedding)).toEqual(plain.data.map(({ embedding }) => embedding));
    expect(length(plain.data[0]!.embedding)).toBeCloseTo(1, 3);
    expect(plain.usage.total_tokens).toBeGreaterThan(0);
    const raw = await post(target(), '/v1/embeddings', { ...request, encoding_format: 'base64' });
    const { data } = (await raw.json()) as { data: { embedding: string }[] };
    expect(Buffer.from(data[0]!.embedding, 'base64').readFloatLE(0)).toBe(plain.data[0]!.embedding[0]);
  });

  test("embeds token ids of the model's own tokenizer as the texts they stand for", async () => {
    const { embeddingModel: model, tokenIds } = target();
    const request = { model, encoding_format: 'float' } as const;
    const told = await openai(target()).embeddings.create({ ...request, input: [tokenIds.text, 'a tax form'] });
    const one = await openai(target()).embeddings.create({ ...request, input: [...tokenIds.ids] });
    expect(one.data).toEqual(told.data.slice(0, 1));
    const lists = await openai(target()).embeddings.create({
      ...request,
      input: [tokenIds.ids, tokenIds.ids].map((ids) => [...ids]),
    });
    expect(lists.data.map(({ embedding }) => embedding)).toEqual(Array(2).fill(told.data[0]!.embedding));
    expect(lists.usage.total_tokens).toBe(2 * one.usage.total_tokens);
  });

  test("is told when an id is another tokenizer's", async () => {
    const request = { model: target().embeddingModel, input: [[...target().tokenIds.ids], [100_257]] };
    await expect(openai(target()).embeddings.create(request)).rejects.toMatchObject({
      status: 400,
      code: 'unknown_token_id',
      param: 'input',
      message: expect.stringContaining('own tokenizer') as string,
    });
  });
}

/** Models. */
export function modelChecks(target: Target): void {
  test('lists the models and looks one up', async () => {
    const models = await collect(openai(target()).models.list());
    expect(models.map(({ id }) => id)).toEqual(expect.arrayContaining([target().model, target().embeddingModel]));
    const model = await openai(target()).models.retrieve(target().model);
    expect(model).toMatchObject({ id: target().model, object: 'model', owned_by: 'pouw' });
  });
}

/** What goes wrong, as the client sees it. */
export function errorChecks(target: Target): void {
  const failing = (client: OpenAI, change: object): Promise<unknown> =>
    client.chat.completions.create({ ...ask(target(), 'Hello'), ...change });

  test('gets 401 for a key that nobody knows', async () => {
    const error = { status: 401, code: 'invalid_api_key', type: 'authentication_error' };
    await expect(failing(openai(target(), 'wrong'), {})).rejects.toMatchObject(error);
  });

  test('gets 404 for a model that nobody serves', async () => {
    const error = { status: 404, code: 'model_not_found', param: 'model' };
    await expect(failing(openai(target()), { model: 'somebody/unknown' })).rejects.toMatchObject(error);
    await expect(openai(target()).models.retrieve('somebody/unknown')).rejects.toMatchObject({ status: 404 });
  });

  test.each([
    ['n', { n: 2 }],
    ['tools', { tools: [{ type: 'function', function: { name: 'f' } }] }],
    ['response_format', { response_format: { type: 'json_schema', json_schema: { name: 'x', schema: {} } } }],
    [
      'messages[0].content[0]',
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }] },
    ],
    ['logit_bias', { logit_bias: { 5: 1 } }],
  ])('gets 400 for %s, which cannot be honoured', async (param, change) => {
    const error = { status: 400, code: 'unsupported_parameter', param };
    await expect(failing(openai(target()), change)).rejects.toMatchObject(error);
  });

  test.each([
    ['temperature', { temperature: 3 }],
    ['max_tokens', { max_tokens: 0 }],
    ['messages', { messages: [] }],
    ['messages[0].role', { messages: [{ role: 'nobody', content: 'x' }] }],
    ['stop', { stop: ['a', 'b', 'c', 'd', 'e'] }],
  ])('gets 400 for a %s that makes no sense', async (param, change) => {
    const error = { status: 400, code: 'invalid_request', type: 'invalid_request_error', param };
    await expect(failing(openai(target()), change)).rejects.toMatchObject(error);
  });

  test('gets 413 for a prompt, and for a body, over the limit', async () => {
    const promptError = { status: 413, code: 'prompt_too_long' };
    await expect(failing(openai(target()), longMessage(131_073))).rejects.toMatchObject(promptError);
    await expect(failing(openai(target()), longMessage(1_100_000))).rejects.toMatchObject({
      status: 413,
      code: 'body_too_large',
    });
  });

  test('gets 402 with the top-up it needs when the session is out of funds', async () => {
    const error = { status: 402, code: 'insufficient_balance', message: expect.stringContaining('Deposit') as string };
    await expect(failing(openai(target(), target().poorApiKey), {})).rejects.toMatchObject(error);
  });
}

function longMessage(characters: number): object {
  return { messages: [{ role: 'user', content: 'x'.repeat(characters) }] };
}

function length(vector: readonly number[]): number {
  return Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
}

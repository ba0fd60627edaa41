import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import type { GenerateEvent, GenerateRequest, Inference } from '../../src/ports/inference.ts';
import { answer, ask, cosine, failsWith, greedy, question, seedOf } from './inference-requests.ts';

/** An adapter under test with the models it has; its chat model answers `question` with at least 10 tokens. */
export interface InferenceHarness {
  readonly inference: Inference;
  readonly chatModel: string;
  readonly embeddingModel: string;
  /** Ids of the embedding model's own tokenizer, and the text they stand for. */
  readonly tokenIds: { readonly ids: readonly number[]; readonly text: string };
}

/** The contract of inference; `make` gives an adapter that has loaded nothing. */
export function inferenceFeatures(name: string, make: () => Promise<InferenceHarness>): void {
  describe(`inference: ${name}`, () => {
    let harness: InferenceHarness;
    beforeAll(async () => {
      harness = await make();
    });
    afterAll(() => harness.inference.close());
    const given = (): InferenceHarness => harness;

    describe('before anything is loaded', () => {
      unloadedFeatures(given);
    });
    describe('with its models loaded', () => {
      beforeAll(async () => {
        await harness.inference.load(harness.chatModel);
        await harness.inference.load(harness.embeddingModel);
      });
      describe('models', () => {
        modelFeatures(given);
      });
      describe('streaming', () => {
        streamingFeatures(given);
      });
      describe('ending early', () => {
        endingFeatures(given);
      });
      describe('refusing', () => {
        refusingFeatures(given);
      });
      describe('embedding', () => {
        embeddingFeatures(given);
      });
    });
    describe('closed', () => {
      it('fails instead of waiting for ever, and closes twice', async () => {
        const { inference, chatModel } = await make();
        await inference.load(chatModel);
        await inference.close();
        await inference.close();
        const request = { model: chatModel, prompt: question, maxTokens: 4, sampling: greedy, timeoutMs: 20_000 };
        await expect(answer(inference, request)).rejects.toEqual(failsWith('inference_failed'));
      });
    });
  });
}

function base(harness: InferenceHarness): GenerateRequest {
  return { model: harness.chatModel, prompt: question, maxTokens: 64, sampling: greedy, timeoutMs: 20_000 };
}

function unloadedFeatures(given: () => InferenceHarness): void {
  it('names the models there are when asked for another', async () => {
    await expect(given().inference.load('nobody-made-this')).rejects.toEqual(
      failsWith('model_not_found', { param: 'model' }),
    );
  });

  it('has no models and refuses to run one', async () => {
    const { inference, embeddingModel } = given();
    expect(inference.models()).toEqual([]);
    await expect(answer(inference, base(given()))).rejects.toEqual(failsWith('model_not_found'));
    await expect(inference.embed(embeddingModel, ['a'])).rejects.toEqual(failsWith('model_not_found'));
  });
}

function modelFeatures(given: () => InferenceHarness): void {
  it('describes what it loaded, and loads it once', async () => {
    const { inference, chatModel, embeddingModel } = given();
    const chat = await inference.load(chatModel);
    expect(chat).toMatchObject({ id: chatModel, kind: 'chat', dimensions: 0 });
    expect(chat.contextTokens).toBeGreaterThan(0);
    const embedding = await inference.load(embeddingModel);
    expect(embedding).toMatchObject({ id: embeddingModel, kind: 'embedding' });
    expect(embedding.dimensions).toBeGreaterThan(0);
    expect(inference.models()).toEqual([chat, embedding]);
  });

  it('refuses to use a model for what it is not', async () => {
    const { inference, chatModel, embeddingModel } = given();
    const wrong = { ...base(given()), model: embeddingModel };
    await expect(answer(inference, wrong)).rejects.toEqual(failsWith('model_kind_mismatch'));
    await expect(inference.embed(chatModel, ['a'])).rejects.toEqual(failsWith('model_kind_mismatch'));
  });

  it('counts the tokens it will read', async () => {
    const { inference, chatModel } = given();
    const { done } = await answer(inference, base(given()));
    expect(await inference.countTokens(chatModel, question)).toBe(done.promptTokens);
  });
}

function streamingFeatures(given: () => InferenceHarness): void {
  it('yields each token with its place, then the whole', async () => {
    const { events, done } = await answer(given().inference, base(given()));
    const tokens = events.slice(0, -1);
    expect(tokens.length).toBeGreaterThanOrEqual(10);
    expect(tokens.map((event) => (event.type === 'token' ? event.index : -1))).toEqual(tokens.map((_, index) => index));
    expect(done.tokens).toEqual(tokens.map((event) => (event.type === 'token' ? event.id : -1)));
    expect(done).toMatchObject({ finishReason: 'stop', outputTokens: tokens.length });
  });

  it('answers the same again when greedy, whatever the seed', async () => {
    const first = await answer(given().inference, base(given()));
    const second = await answer(given().inference, { ...base(given()), sampling: { ...greedy, seed: seedOf(9) } });
    expect(second).toEqual(first);
  });

  it('makes no more tokens than allowed', async () => {
    const whole = await answer(given().inference, base(given()));
    for (const maxTokens of [1, 3]) {
      const { done } = await answer(given().inference, { ...base(given()), maxTokens });
      expect(done).toMatchObject({ finishReason: 'length', tokens: whole.done.tokens.slice(0, maxTokens) });
    }
  });

  it('continues a delivered prefix as if nothing had happened', async () => {
    const whole = await answer(given().inference, base(given()));
    for (const length of [1, 5, whole.done.tokens.length - 1]) {
      const prefix = whole.done.tokens.slice(0, length);
      const rest = await answer(given().inference, { ...base(given()), prefix });
      const delivered = whole.events.slice(0, length).map((event) => event.text);
      expect(rest.done).toEqual({ ...whole.done, text: rest.done.text, prefixText: delivered.join('') });
      expect(rest.prefix).toEqual(delivered);
      expect(rest.events[0]).toMatchObject({ index: length });
      expect(delivered.join('') + rest.text).toBe(whole.text);
    }
  });

  it('adds nothing to a prefix that is all it may make', async () => {
    const whole = await answer(given().inference, base(given()));
    const prefix = whole.done.tokens.slice(0, 4);
    const all = { ...base(given()), prefix, maxTokens: 4 };
    const { prefix: told, events, done } = await answer(given().inference, all);
    expect(told).toEqual(whole.events.slice(0, 4).map((event) => event.text));
    expect(events).toHaveLength(1);
    expect(done).toMatchObject({ finishReason: 'length', tokens: prefix, outputTokens: 4 });
  });

  it('ends at the first stop string and never shows any of it', async () => {
    const whole = await answer(given().inference, base(given()));
    const stop = whole.text.slice(12, 19);
    const later = whole.text.slice(25, 30);
    const { text, done } = await answer(given().inference, { ...base(given()), stop: ['never said', later, stop] });
    expect(text).toBe(whole.text.slice(0, whole.text.indexOf(stop)));
    expect(done.finishReason).toBe('stop');
    expect(whole.done.tokens.slice(0, done.outputTokens)).toEqual(done.tokens);
    expect(done.outputTokens).toBeLessThan(whole.done.outputTokens);
  });
}

function endingFeatures(given: () => InferenceHarness): void {
  it('frees the place of a consumer that leaves', async () => {
    // Many more than any harness has places: one that is not freed leaves the next waiting for ever.
    for (let round = 0; round < 20; round++) {
      for await (const event of given().inference.generate(base(given()))) {
        expect(event.type).toBe('token');
        break;
      }
    }
    expect((await answer(given().inference, base(given()))).done.finishReason).toBe('stop');
  });

  it('ends with what it has when its signal is aborted', async () => {
    const whole = await answer(given().inference, base(given()));
    const abort = new AbortController();
    const events: GenerateEvent[] = [];
    for await (const event of given().inference.generate({ ...base(given()), signal: abort.signal })) {
      events.push(event);
      abort.abort();
    }
    const done = events.at(-1);
    expect(done).toMatchObject({ type: 'done', finishReason: 'cancelled' });
    const made = done?.type === 'done' ? done.tokens : [];
    expect(made).toEqual(whole.done.tokens.slice(0, made.length));
    expect(made.length).toBe(events.length - 1);
    expect(made.length).toBeLessThan(whole.done.tokens.length);
  });

  it('makes nothing when its signal was aborted before', async () => {
    const { events } = await answer(given().inference, { ...base(given()), signal: AbortSignal.abort() });
    expect(events).toEqual([expect.objectContaining({ type: 'done', finishReason: 'cancelled', tokens: [] })]);
  });

  it('ends a generation that takes too long', async () => {
    const slow = { ...base(given()), timeoutMs: 1 };
    await expect(answer(given().inference, slow)).rejects.toEqual(
      failsWith('generation_timeout', { class: 'timeout' }),
    );
    expect((await answer(given().inference, base(given()))).done.finishReason).toBe('stop');
  });
}

function refusingFeatures(given: () => InferenceHarness): void {
  const sampled = { ...greedy, temperature: 1 };
  const bad: readonly (readonly [string, Partial<GenerateRequest>])[] = [
    ['temperature', { sampling: { ...sampled, temperature: -0.1 } }],
    ['temperature', { sampling: { ...sampled, temperature: 2.1 } }],
    ['temperature', { sampling: { ...sampled, temperature: Number.NaN } }],
    ['topP', { sampling: { ...sampled, topP: 1.01 } }],
    ['topK', { sampling: { ...sampled, topK: 1.5 } }],
    ['seed', { sampling: { ...sampled, seed: '0x12' } }],
    ['maxTokens', { maxTokens: 0 }],
    ['maxTokens', { maxTokens: limits.outputTokensMax + 1 }],
    ['topLogprobs', { topLogprobs: limits.topLogprobsMax + 1 }],
    ['timeoutMs', { timeoutMs: 0 }],
    ['timeoutMs', { timeoutMs: limits.generationMsMax + 1 }],
    ['stop', { stop: Array.from({ length: limits.stopStringsMax + 1 }, (_, index) => `${index}`) }],
    ['stop', { stop: [''] }],
    ['stop', { stop: ['x'.repeat(limits.stopStringCharsMax + 1)] }],
    ['prefix', { prefix: [-1] }],
  ];
  it.each(bad)('refuses a bad %s: %o', async (param, change) => {
    const refused = answer(given().inference, { ...base(given()), ...change });
    await expect(refused).rejects.toEqual(failsWith('invalid_sampling', { class: 'invalid', param }));
  });

  it('takes values at their bounds', async () => {
    const { done } = await answer(given().inference, {
      ...base(given()),
      maxTokens: limits.outputTokensMax,
      topLogprobs: limits.topLogprobsMax,
      timeoutMs: limits.generationMsMax,
      stop: Array.from({ length: limits.stopStringsMax }, () => 'x'.repeat(limits.stopStringCharsMax)),
      sampling: { ...greedy, topP: 0, topK: Number.MAX_SAFE_INTEGER },
    });
    expect(done.finishReason).toBe('stop');
  });

  it('refuses a prompt of too many characters', async () => {
    const prompt = ask('x'.repeat(limits.promptCharsMax + 1));
    const details = { size: limits.promptCharsMax + 1, limit: limits.promptCharsMax, unit: 'characters' };
    const refused = answer(given().inference, { ...base(given()), prompt });
    await expect(refused).rejects.toEqual(failsWith('prompt_too_long', { class: 'too-large', details }));
  });
}

function embeddingFeatures(given: () => InferenceHarness): void {
  const texts = [
    'The dog sleeps.',
    'A very much longer sentence about nothing in particular, said slowly and twice for good measure.',
    'Water.',
    '',
  ];

  it('gives vectors of unit length, in order', async () => {
    const { inference, embeddingModel } = given();
    const { dimensions } = await inference.load(embeddingModel);
    const { vectors, tokens } = await inference.embed(embeddingModel, texts);
    expect(vectors).toHaveLength(texts.length);
    expect(tokens).toBeGreaterThanOrEqual(texts.length);
    for (const vector of vectors) {
      expect(vector).toHaveLength(dimensions);
      expect(cosine(vector, vector)).toBeCloseTo(1, 5);
    }
    const reversed = await inference.embed(embeddingModel, texts.toReversed());
    expect(reversed.vectors.toReversed()).toEqual(vectors);
  });

  it('embeds a text the same alone and among others', async () => {
    const { inference, embeddingModel } = given();
    const together = await inference.embed(embeddingModel, texts);
    for (const [index, text] of texts.entries()) {
      const alone = await inference.embed(embeddingModel, [text]);
      expect(cosine(alone.vectors[0]!, together.vectors[index]!)).toBeCloseTo(1, 5);
    }
  });

  it('refuses no texts, too many, and too long ones', async () => {
    const { inference, embeddingModel } = given();
    const many = Array.from({ length: limits.embeddingInputsMax + 1 }, () => 'a');
    await expect(inference.embed(embeddingModel, [])).rejects.toEqual(failsWith('invalid_prompt'));
    await expect(inference.embed(embeddingModel, many)).rejects.toEqual(failsWith('invalid_prompt'));
    const long = ['a', 'x'.repeat(limits.promptCharsMax + 1)];
    await expect(inference.embed(embeddingModel, long)).rejects.toEqual(failsWith('prompt_too_long'));
  });

  it('reads ids of its own tokenizer, and no others', async () => {
    const { inference, chatModel, embeddingModel, tokenIds } = given();
    expect(await inference.decode(embeddingModel, [tokenIds.ids, [], tokenIds.ids.slice(0, 1)])).toEqual([
      tokenIds.text,
      '',
      expect.stringMatching(/^./) as string,
    ]);
    const unknown = failsWith('unknown_token_id', { class: 'invalid', param: 'input', details: { id: 4_000_000_000 } });
    await expect(inference.decode(embeddingModel, [[1], [2, 4_000_000_000]])).rejects.toEqual(unknown);
    await expect(inference.decode(chatModel, [[1]])).rejects.toEqual(failsWith('model_kind_mismatch'));
  });

  it('rejects with the reason of an aborted signal', async () => {
    const { inference, embeddingModel } = given();
    const reason = new Error('enough');
    await expect(inference.embed(embeddingModel, texts, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
}

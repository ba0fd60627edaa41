import { fileURLToPath } from 'node:url';
import { AutoModelForCausalLM, AutoTokenizer, type Tensor } from '@huggingface/transformers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createTransformersInference,
  type TransformersInference,
} from '../../src/adapters/transformers/transformers-inference.ts';
import {
  type Answer,
  answer,
  ask,
  cosine,
  dogRequest as request,
  failsWith,
  sampled,
  seeded,
  seededStory as story,
  seedOf,
} from './inference-requests.ts';
import { type InferenceHarness, inferenceFeatures } from './inference.features.ts';

const modelsDir = fileURLToPath(new URL('../../models', import.meta.url));

inferenceFeatures('transformers', async (): Promise<InferenceHarness> => {
  const inference = await createTransformersInference({
    device: 'cpu',
    workers: 1,
    generationsPerWorker: 2,
    queueMax: 4,
  });
  return {
    inference,
    chatModel: 'pebble-chat',
    embeddingModel: 'pebble-embed',
    tokenIds: { ids: [55, 262, 506, 68, 15, 224, 131, 106, 4, 3], text: 'The sea, é!' },
  };
});

describe('transformers: answers', () => {
  let inference: TransformersInference;
  beforeAll(async () => {
    inference = await createTransformersInference({ device: 'cpu' });
    await inference.load('pebble-chat');
    await inference.load('pebble-mini');
  });
  afterAll(() => inference.close());

  it.each([
    [
      'What is a dog?',
      'A dog is a member of the genus Canis that has been domesticated by man since prehistoric times.',
    ],
    [
      'Define water.',
      'Water is binary compound that occurs at room temperature as a clear colorless odorless tasteless liquid.',
    ],
    ['Hello', 'Hello! Ask me what a word means, or ask me for a story.'],
  ])('%s', async (content, expected) => {
    expect((await answer(inference, { ...request, prompt: ask(content) })).text).toBe(expected);
  });

  it('are the library’s own, token for token, when greedy', async () => {
    for (const model of ['pebble-chat', 'pebble-mini']) {
      const library = await libraryAnswers(model);
      for (const [content, ids] of library) {
        const ours = await answer(inference, { ...request, model, prompt: ask(content), maxTokens: 128 });
        expect(ours.done.tokens).toEqual(ids);
      }
    }
  });

  const tell = (seed: number): Promise<Answer> => answer(inference, seeded(seed));

  it('are the same for a seed, differ between seeds, and do not depend on what runs beside them', async () => {
    const alone = await tell(1);
    const together = await Promise.all([3, 1, 2, 1, 4, 5, 1].map(tell));
    expect(together[1]!.done.tokens).toEqual(alone.done.tokens);
    expect(together[3]!.done.tokens).toEqual(alone.done.tokens);
    expect(together[6]!.done.tokens).toEqual(alone.done.tokens);
    expect(new Set(together.map(({ done }) => done.tokens.join())).size).toBe(5);
  });

  it('are continued from a prefix under the same seed', async () => {
    const whole = await answer(inference, story);
    for (const length of [3, 17, 40]) {
      const rest = await answer(inference, { ...story, prefix: whole.done.tokens.slice(0, length) });
      expect(rest.done.tokens).toEqual(whole.done.tokens);
    }
  });

  it('end where the model’s context does', async () => {
    const text = 'dog '.repeat(1_000);
    const info = await inference.load('pebble-chat');
    const one = await inference.countTokens('pebble-chat', { text: 'dog '.repeat(10) });
    const fits = Math.floor((info.contextTokens / one) * 10) - 5;
    const prompt = { text: text.slice(0, fits * 4) };
    const used = await inference.countTokens('pebble-chat', prompt);
    const { done } = await answer(inference, { ...request, prompt, maxTokens: 512, sampling: sampled });
    expect(used).toBeGreaterThan(400);
    expect(done.promptTokens + done.outputTokens).toBeLessThanOrEqual(info.contextTokens);
    const tooLong = answer(inference, { ...request, prompt: { text } });
    const details = expect.objectContaining({ limit: info.contextTokens - 1, unit: 'tokens' }) as object;
    await expect(tooLong).rejects.toEqual(failsWith('prompt_too_long', { details }));
  });

  it('refuse an empty prompt and a prefix from another vocabulary', async () => {
    await expect(answer(inference, { ...request, prompt: { text: '' } })).rejects.toEqual(failsWith('invalid_prompt'));
    const foreign = { ...request, prefix: [5, 2_048] };
    await expect(answer(inference, foreign)).rejects.toEqual(failsWith('invalid_prompt', { param: 'prefix' }));
  });

  it('carry log-probabilities that are a distribution', async () => {
    const { events } = await answer(inference, { ...request, topLogprobs: 20, maxTokens: 8 });
    for (const event of events) {
      if (event.type !== 'token') continue;
      const top = event.top!;
      expect(top).toHaveLength(20);
      expect(top[0]).toEqual(event.logprob);
      expect(event.logprob!.id).toBe(event.id);
      const sum = top.reduce((total, { logprob }) => total + Math.exp(logprob), 0);
      expect(sum).toBeGreaterThan(0.5);
      expect(sum).toBeLessThanOrEqual(1 + 1e-9);
    }
    const plain = await answer(inference, { ...request, maxTokens: 1 });
    expect(plain.events[0]).not.toHaveProperty('logprob');
  });

  it('show no broken characters while they stream', async () => {
    // At this temperature the byte-level model emits lone bytes; whatever it makes, pieces add up to the whole.
    const tokenizer = await AutoTokenizer.from_pretrained(`${modelsDir}/pebble-mini`);
    const sampling = { ...sampled, temperature: 2 };
    for (const seed of [11, 12, 13, 14]) {
      const { text, done } = await answer(inference, {
        ...request,
        model: 'pebble-mini',
        maxTokens: 128,
        sampling: { ...sampling, seed: seedOf(seed) },
      });
      const options = { skip_special_tokens: true, clean_up_tokenization_spaces: false };
      expect(text).toBe(done.tokens.length === 0 ? '' : tokenizer.decode([...done.tokens], options));
    }
  });
});

/** What the library's own greedy `generate` makes of a few prompts: the ids of each answer up to end-of-text. */
async function libraryAnswers(model: string): Promise<readonly (readonly [string, readonly number[]])[]> {
  const folder = `${modelsDir}/${model}`;
  const tokenizer = await AutoTokenizer.from_pretrained(folder);
  const direct = await AutoModelForCausalLM.from_pretrained(folder, { device: 'cpu', dtype: 'fp32' });
  const answers: (readonly [string, readonly number[]])[] = [];
  for (const content of [
    'What is a dog?',
    'Define water.',
    'Hello',
    'Tell me a story.',
    'What does happy mean?',
    'zxqv',
  ]) {
    const inputs = tokenizer.apply_chat_template([{ role: 'user', content }], { add_generation_prompt: true });
    const output = (await direct.generate({ ...inputs, max_new_tokens: 128, do_sample: false })) as Tensor;
    const ids = Array.from(output.data as BigInt64Array, Number).slice(inputs.input_ids.dims.at(-1));
    answers.push([content, ids.at(-1) === 3 ? ids.slice(0, -1) : ids]);
  }
  await direct.dispose();
  return answers;
}

describe('transformers: embeddings', () => {
  let inference: TransformersInference;
  beforeAll(async () => {
    inference = await createTransformersInference({ device: 'cpu', workers: 1 });
    await inference.load('pebble-embed');
    await inference.load('pebble-chat');
  });
  afterAll(() => inference.close());
  const embed = async (texts: readonly string[]): Promise<readonly Float32Array[]> =>
    (await inference.embed('pebble-embed', texts)).vectors;

  it('tell a paraphrase from an unrelated text', async () => {
    const [one, same, other] = await embed([
      'A dog is a domesticated animal.',
      'Dogs are animals that were tamed by people.',
      'Water is a clear liquid.',
    ]);
    expect(cosine(one!, same!)).toBeGreaterThan(cosine(one!, other!) + 0.2);
  });

  it('are bit for bit the same in a batch and alone', async () => {
    const texts = Array.from(
      { length: 100 },
      (_, index) => `Sentence ${index} is about ${'very '.repeat(index % 17)}little.`,
    );
    const batch = await embed(texts);
    for (const index of [0, 16, 50, 99]) expect((await embed([texts[index]!]))[0]).toEqual(batch[index]);
  });

  it('read all of a text that is longer than the model', async () => {
    const start = 'The dog sleeps in the sun. '.repeat(60);
    const [a, b, c] = await embed([start, `${start}Water is a liquid. `.repeat(2), start]);
    expect(cosine(a!, b!)).toBeLessThan(0.9999);
    expect(a).toEqual(c);
  });

  it('let generations go on beside them', async () => {
    const texts = Array.from({ length: 512 }, (_, index) => `A sentence of some length, the ${index}th of very many.`);
    let embedded = false;
    const embedding = embed(texts).then(() => (embedded = true));
    await answer(inference, { ...request, maxTokens: 4 });
    expect(embedded).toBe(false);
    await embedding;
  });
});

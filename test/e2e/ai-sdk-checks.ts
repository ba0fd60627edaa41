import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { embedMany, generateText, streamText } from 'ai';
import { expect, test } from 'vitest';
import { collect, type Target } from './client-target.ts';

/** Vercel's `ai` over its OpenAI-compatible provider. */
export function aiSdkChecks(target: Target): void {
  const provider = (): ReturnType<typeof createOpenAICompatible> =>
    createOpenAICompatible({
      name: 'pouw',
      baseURL: `${target().url}/v1`,
      apiKey: target().apiKey,
      includeUsage: true,
    });

  test('generates text', async () => {
    const { text, usage, finishReason } = await generateText({
      model: provider()(target().model),
      prompt: target().longQuestion,
      maxOutputTokens: 12,
    });
    expect(text.length).toBeGreaterThan(0);
    expect(usage.outputTokens).toBe(12);
    expect(finishReason).toBe('length');
  });

  test('streams text', async () => {
    const { textStream, usage, finishReason } = streamText({
      model: provider()(target().model),
      prompt: target().longQuestion,
      maxOutputTokens: 24,
    });
    const parts = await collect(textStream);
    expect(parts.length).toBeGreaterThan(10);
    expect(await usage).toMatchObject({ outputTokens: 24 });
    expect(await finishReason).toBe('length');
  });

  test('embeds', async () => {
    const model = provider().embeddingModel(target().embeddingModel);
    const { embeddings } = await embedMany({ model, values: ['the sea', 'the ocean', 'a tax form'] });
    const [sea, ocean, tax] = embeddings;
    expect(dot(sea!, ocean!)).toBeGreaterThan(dot(sea!, tax!));
  });
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, index) => sum + value * b[index]!, 0);
}

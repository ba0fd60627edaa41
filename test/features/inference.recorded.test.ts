import { describe, expect, it } from 'vitest';
import { createRecordedInference, record, type Recording } from '../../src/adapters/recorded/recorded-inference.ts';
import { answer, ask, greedy, question } from './inference-requests.ts';
import { type InferenceHarness, inferenceFeatures } from './inference.features.ts';

const words = [
  'A ',
  'dog ',
  'is ',
  'a ',
  'member ',
  'of ',
  'the ',
  'genus ',
  'Canis',
  ', ',
  'as ',
  'everybody ',
  'knows',
  '.',
];
const recording: Recording = {
  prompt: question,
  promptTokens: 7,
  tokens: words.map((text, index) => ({ id: 100 + index, text })),
  finishReason: 'stop',
};

/** A delay between tokens, so that there is something to cancel and to time out. */
async function make(): Promise<InferenceHarness> {
  const inference = createRecordedInference({ recordings: [recording], tokenDelayMs: 2 });
  return {
    inference,
    chatModel: 'recorded-chat',
    embeddingModel: 'recorded-embed',
    tokenIds: { ids: [99, 97, 102, 195, 169], text: 'café' },
  };
}

inferenceFeatures('recorded', make);

describe('recorded inference', () => {
  it('gives every prompt a recording, always the same', async () => {
    const other: Recording = { ...recording, prompt: ask('Hello'), tokens: [{ id: 1, text: 'Hi.' }] };
    const inference = createRecordedInference({ recordings: [recording, other], chatModel: 'replayed' });
    await inference.load('replayed');
    const request = { model: 'replayed', maxTokens: 64, sampling: greedy, timeoutMs: 1_000 };
    expect((await answer(inference, { ...request, prompt: ask('Hello') })).text).toBe('Hi.');
    expect((await answer(inference, { ...request, prompt: question })).text).toBe(words.join(''));
    const unknown = await answer(inference, { ...request, prompt: { text: 'never recorded' } });
    expect(await answer(inference, { ...request, prompt: { text: 'never recorded' } })).toEqual(unknown);
    await inference.close();
  });

  it('records what it replays', async () => {
    const inference = createRecordedInference({ recordings: [recording] });
    await inference.load('recorded-chat');
    const request = { model: 'recorded-chat', prompt: question, maxTokens: 64, sampling: greedy, timeoutMs: 1_000 };
    expect(await record(inference, request)).toEqual(recording);
    await inference.close();
  });
});

import { expect } from 'vitest';
import type { Hex } from '../../src/core/hash.ts';
import type { GenerateEvent, GenerateRequest, Inference, Prompt, Sampling } from '../../src/ports/inference.ts';

/** The greedy sampling, with a seed that must not matter. */
export const greedy: Sampling = { temperature: 0, topP: 1, topK: 0, seed: `0x${'00'.repeat(32)}` };

/** A seed of its own for every number. */
export function seedOf(number: number): Hex {
  return `0x${number.toString(16).padStart(64, '0')}`;
}

/** The model's own distribution, under the first seed. */
export const sampled: Sampling = { temperature: 1, topP: 1, topK: 0, seed: seedOf(1) };

/** A chat prompt of one question. */
export function ask(content: string): Prompt {
  return { messages: [{ role: 'user', content }] };
}

/** The question every adapter under test can answer. */
export const question = ask('What is a dog?');

/** That question to the project's chat model. */
export const dogRequest: GenerateRequest = {
  model: 'pebble-chat',
  prompt: question,
  maxTokens: 64,
  sampling: greedy,
  timeoutMs: 20_000,
};

/** A long sampled answer, under the first seed. */
export const seededStory: GenerateRequest = {
  ...dogRequest,
  prompt: ask('Tell me a story.'),
  sampling: sampled,
  maxTokens: 60,
};

/** The same under a seed of its own. */
export function seeded(number: number): GenerateRequest {
  return { ...seededStory, sampling: { ...sampled, seed: seedOf(number) } };
}

/** A whole answer: the texts of a prefix, its further events, their text and its last event. */
export interface Answer {
  readonly prefix: readonly string[];
  readonly events: readonly Exclude<GenerateEvent, { type: 'prefix' }>[];
  readonly text: string;
  readonly done: Extract<GenerateEvent, { type: 'done' }>;
}

/** Runs a generation to its end. */
export async function answer(inference: Inference, request: GenerateRequest): Promise<Answer> {
  const events: Answer['events'][number][] = [];
  const prefix: string[] = [];
  for await (const event of inference.generate(request)) {
    if (event.type !== 'prefix') events.push(event);
    else if (events.length === 0) prefix.push(...event.texts);
    else throw new Error('a prefix comes first');
  }
  const done = events.at(-1);
  if (done?.type !== 'done') throw new Error('the last event is not done');
  return { prefix, events, done, text: events.map((event) => event.text).join('') };
}

/** The cosine of two vectors of unit length. */
export function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, axis) => sum + value * b[axis]!, 0);
}

/** Matches an error of ours by its code, and by more of it where given. */
export function failsWith(code: string, more: object = {}): unknown {
  return expect.objectContaining({ name: 'PouwError', code, ...more });
}

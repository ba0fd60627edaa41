import { expect, test } from 'vitest';
import { limits } from '../core/limits.ts';
import { promptsOf, seededPrompt, seededRequestId } from './prompts.ts';

test('prompts and request ids follow from the seed', () => {
  const prompts = Array.from({ length: 50 }, (_, index) => seededPrompt('a', index));
  expect(prompts).toEqual(Array.from({ length: 50 }, (_, index) => seededPrompt('a', index)));
  expect(new Set(prompts).size).toBeGreaterThan(10);
  expect(seededPrompt('b', 0) === prompts[0] && seededPrompt('b', 1) === prompts[1]).toBe(false);
  expect(seededRequestId('a', 0)).not.toBe(seededRequestId('a', 1));
});

test('a prompts file has one per line, as text or as a JSON string', () => {
  expect(promptsOf('What is a dog?\r\n\n"two\\nlines"\n"not json\n')).toEqual([
    'What is a dog?',
    'two\nlines',
    '"not json',
  ]);
});

test('a file without prompts, or with one that is too long, is refused', () => {
  expect(() => promptsOf(' \n')).toThrow(expect.objectContaining({ code: 'no_prompts' }));
  expect(promptsOf('x'.repeat(limits.promptCharsMax))).toHaveLength(1);
  expect(() => promptsOf('x'.repeat(limits.promptCharsMax + 1))).toThrow(
    expect.objectContaining({ code: 'prompt_too_long' }),
  );
});

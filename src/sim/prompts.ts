import { keccak256, type Hex } from '../core/hash.ts';
import { PouwError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';

/** Words whose meaning the project's own models have learned. */
const words = [
  'dog',
  'river',
  'teacher',
  'bread',
  'winter',
  'engine',
  'garden',
  'mountain',
  'letter',
  'doctor',
  'bridge',
  'forest',
  'window',
  'market',
  'island',
  'planet',
  'school',
  'horse',
  'water',
  'music',
];
const shapes = [
  (word: string) => `What is a ${word}?`,
  (word: string) => `Define ${word}.`,
  (word: string) => `What does ${word} mean?`,
];

/** The prompt of task `index` in a run with this seed: the same every time. */
export function seededPrompt(seed: string, index: number): string {
  const draw = Number(BigInt(keccak256(`pouw/sim/prompt/${seed}/${index}`)) >> 224n);
  const word = words[draw % words.length] ?? 'dog';
  const shape = shapes[Math.floor(draw / words.length) % shapes.length] ?? ((one: string) => one);
  return shape(word);
}

/** The request id of task `index` in a run with this seed. */
export function seededRequestId(seed: string, index: number): Hex {
  return keccak256(`pouw/sim/request/${seed}/${index}`);
}

/**
 * The prompts of a file: one per line, or one JSON string per line; empty lines are passed over.
 *
 * @throws PouwError `no_prompts`, `prompt_too_long`.
 */
export function promptsOf(text: string): string[] {
  const prompts = text
    .split(/\r?\n/)
    .map(promptOfLine)
    .filter((prompt) => prompt !== '');
  if (prompts.length === 0)
    throw new PouwError('no_prompts', 'The prompts file has no prompts.', {
      class: 'invalid',
      param: 'prompts',
      hint: 'Write one prompt per line.',
    });
  const tooLong = prompts.findIndex((prompt) => prompt.length > limits.promptCharsMax);
  if (tooLong >= 0)
    throw new PouwError('prompt_too_long', `Prompt ${tooLong + 1} has more than ${limits.promptCharsMax} characters.`, {
      class: 'invalid',
      param: 'prompts',
    });
  return prompts;
}

function promptOfLine(line: string): string {
  const text = line.trim();
  if (!text.startsWith('"')) return text;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : text;
  } catch {
    return text;
  }
}

import { describe, expect, test } from 'vitest';
import { cidToDigest, contentCid } from '../core/cid.ts';
import { PouwError } from '../core/errors.ts';
import type { Cid, TaskId } from '../core/ids.ts';
import type { Json } from '../core/json.ts';
import { limits } from '../core/limits.ts';
import type { StepSource } from '../ports/chain-steps.ts';
import { readPrompt } from './step-prompt.ts';

const id = (digit: string) => `0x${digit.repeat(64)}` as TaskId;
const [task, a, b] = [id('1'), id('2'), id('3')];
const wait = { timeoutMs: 1, signal: new AbortController().signal };

const sampling = { temperature: 0, topP: 1, topK: 0 };
const words = { v: 1, model: 'm', sampling, stop: [], topLogprobs: 0, maxTokens: 8 } as const;
const template = {
  kind: 'step',
  ...words,
  prompt: { text: 'Join {{a}} and {{b}}.' },
  after: [
    { name: 'a', task: a },
    { name: 'b', task: b },
  ],
};
const result = (of: TaskId, text: string) => ({
  kind: 'result',
  v: 1,
  task: of,
  attempt: 0,
  miner: `0x${'ab'.repeat(20)}`,
  model: 'm',
  text,
  tokens: [],
  finishReason: 'stop',
  promptTokens: 1,
  outputTokens: 1,
  prefixTokens: 0,
});

/** What a chain and a store say of a step. */
function ground(texts: readonly [string, string], change: Partial<StepSource> = {}, asked: object = template) {
  const results = [result(a, texts[0]), result(b, texts[1])];
  const blocks = new Map<Cid, object>(
    [asked, ...results].map((block) => [contentCid(block as unknown as Json), block]),
  );
  const digestOf = (block: object) => cidToDigest(contentCid(block as unknown as Json));
  const source: StepSource = {
    promptDigest: digestOf(asked),
    step: 1,
    parents: [
      { task: a, resultDigest: digestOf(results[0] ?? {}) },
      { task: b, resultDigest: digestOf(results[1] ?? {}) },
    ],
    ...change,
  };
  const get = async (cid: Cid): Promise<Json> => {
    const block = blocks.get(cid);
    if (block === undefined) throw new PouwError('content_not_found', 'It is not there.', { class: 'not-found' });
    return block as unknown as Json;
  };
  const ports = { content: { get }, chain: { stepSource: async () => source } };
  const read = () => readPrompt(ports, task, contentCid(asked as unknown as Json), wait);
  return { read, source, digestOf };
}

describe('the prompt of a step', () => {
  test('is its template with the texts that won, by the chain', async () => {
    const { after: _, kind: __, ...asked } = template;
    expect(await ground(['tea', 'milk']).read()).toEqual({
      kind: 'prompt',
      ...asked,
      prompt: { text: 'Join tea and milk.' },
    });
  });

  test('is not changed by what a text says in braces', async () => {
    expect(await ground(['{{b}}', 'secret']).read()).toMatchObject({ prompt: { text: 'Join {{b}} and secret.' } });
  });

  test('is none where the chain has another template, other parents, or no winner of one', async () => {
    const { source } = ground(['x', 'y']);
    const [first, second] = source.parents;
    const changes: readonly Partial<StepSource>[] = [
      { promptDigest: id('9') },
      { parents: source.parents.slice(0, 1) },
      { parents: [first, { task: id('8'), resultDigest: second?.resultDigest }] as StepSource['parents'] },
      { parents: [first, { task: b, resultDigest: undefined }] as StepSource['parents'] },
      { parents: [first, { task: b, resultDigest: first?.resultDigest }] as StepSource['parents'] },
    ];
    for (const change of changes)
      await expect(ground(['x', 'y'], change).read()).rejects.toMatchObject({ code: 'prompt_not_of_task' });
  });

  test('has a bound, which the longest that fits does not pass', async () => {
    const rest = template.prompt.text.length - '{{a}}{{b}}'.length;
    const longest = 'x'.repeat(limits.promptCharsMax - rest);
    expect(await ground([longest, '']).read()).toMatchObject({ kind: 'prompt' });
    await expect(ground([longest, 'y']).read()).rejects.toMatchObject({ code: 'step_prompt_too_long' });
  });

  test.each([
    [
      'names a task twice',
      {
        after: [
          { name: 'a', task: a },
          { name: 'b', task: a },
        ],
      },
    ],
    [
      'calls two by one name',
      {
        after: [
          { name: 'a', task: a },
          { name: 'a', task: b },
        ],
      },
    ],
    ['has a placeholder for none', { prompt: { text: '{{c}}' } }],
    ['comes after none', { after: [] }],
  ])('is none where the template %s', async (_, change) => {
    const { read } = ground(['x', 'y'], {}, { ...template, ...change });
    await expect(read()).rejects.toMatchObject({ code: 'prompt_malformed' });
  });

  test('of a task that is no step needs no chain', async () => {
    const asked = { kind: 'prompt', ...words, prompt: { text: 'Say {{a}}.' } };
    expect(await ground(['x', 'y'], {}, asked).read()).toEqual(asked);
  });
});

import { expect, test } from 'vitest';
import type { GenerateEvent, GenerateRequest, Inference } from '../../ports/inference.ts';
import { attacks, parseAttack } from './table.ts';
import { overcount } from './overcount.ts';
import { random } from './random.ts';

test('an attack is NAME@COUNT, NAME alone is one miner', () => {
  expect(parseAttack('random@3')).toMatchObject({ attack: { name: 'random' }, count: 3 });
  expect(parseAttack('silent')).toMatchObject({ attack: { name: 'silent' }, count: 1 });
});

test.each(['random@', 'random@0', 'random@-1', 'random@1.5', 'random@1@2', 'random@99999'])(
  '%s is no attack',
  (text) => {
    expect(() => parseAttack(text)).toThrow(expect.objectContaining({ code: 'invalid_attack' }));
  },
);

test('an unknown attack is refused with the known ones named', () => {
  expect(() => parseAttack('nobody@1')).toThrow(
    expect.objectContaining({ code: 'unknown_attack', hint: expect.stringContaining('random') as string }),
  );
  expect(new Set(attacks.map((attack) => attack.name)).size).toBe(attacks.length);
});

test('the random attack says other words under another seed, never runs the model, and counts right', async () => {
  const honest: Inference = {
    load: () => Promise.reject(new Error('unused')),
    models: () => [],
    countTokens: async () => 7,
    generate: () => {
      throw new Error('the model was run');
    },
    embed: () => Promise.reject(new Error('unused')),
    decode: () => Promise.reject(new Error('unused')),
    close: async () => {},
  };
  const say = async (digit: string): Promise<string> => {
    const sampling = { temperature: 0, topP: 1, topK: 0, seed: `0x${digit.repeat(64)}` } as const;
    const request: GenerateRequest = { model: 'm', prompt: { text: 'x' }, maxTokens: 10, sampling, timeoutMs: 1_000 };
    const events: GenerateEvent[] = [];
    for await (const event of random.engine(honest).generate(request)) events.push(event);
    const tokens = events.filter((event) => event.type === 'token').map((event) => event.id);
    expect(events.at(-1)).toMatchObject({ type: 'done', promptTokens: 7, outputTokens: tokens.length, tokens });
    return events.map((event) => (event.type === 'prefix' ? '' : event.text)).join('');
  };
  expect(await say('1')).toBe(await say('1'));
  expect(await say('1')).not.toBe(await say('2'));
});

test('the overcount attack says what the model says, and counts a prompt as longer than it is', async () => {
  const done = { type: 'done', prefixText: '', text: 'yes', finishReason: 'stop', tokens: [5] } as const;
  const honest: Inference = {
    load: () => Promise.reject(new Error('unused')),
    models: () => [],
    countTokens: async () => 7,
    async *generate() {
      yield { ...done, promptTokens: 7, outputTokens: 1 };
    },
    embed: () => Promise.reject(new Error('unused')),
    decode: () => Promise.reject(new Error('unused')),
    close: async () => {},
  };
  const engine = overcount.engine(honest);
  const sampling = { temperature: 0, topP: 1, topK: 0, seed: `0x${'1'.repeat(64)}` } as const;
  const request: GenerateRequest = { model: 'm', prompt: { text: 'x' }, maxTokens: 10, sampling, timeoutMs: 1_000 };
  const events: GenerateEvent[] = [];
  for await (const event of engine.generate(request)) events.push(event);
  const counted = await engine.countTokens('m', { text: 'x' });
  expect(events).toEqual([{ ...done, promptTokens: counted, outputTokens: 1 }]);
  expect(counted).toBeGreaterThan(7);
});

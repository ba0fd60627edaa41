import { describe, expect, test } from 'vitest';
import { signerFromSeed } from './ed25519.ts';
import { toAddress } from './ids.ts';
import { limits } from './limits.ts';
import { answersRoot, questionsOf, roundSalt, topicSeed } from './round-work.ts';

const task = `0x${'07'.repeat(32)}` as const;
const other = `0x${'08'.repeat(32)}` as const;

describe('the questions of a round', () => {
  const topic = 'Once upon a time, there was a Big flower. The flower saw a tree, a river and a horse.';

  test('ask what words of the topic mean, each once, and follow from topic and round', () => {
    const questions = questionsOf(topic, task);
    expect(questions).toHaveLength(limits.roundQuestionsMax);
    expect(new Set(questions).size).toBe(questions.length);
    for (const question of questions) {
      const [, word = ''] = /^What does (\p{Ll}{4,}) mean\?$/u.exec(question) ?? [];
      expect(topic.toLowerCase()).toContain(word);
    }
    expect(questionsOf(topic, task)).toEqual(questions);
    expect(questionsOf(topic, other)).not.toEqual(questions);
  });

  test('are fewer where the topic has fewer words, and of its whole where it has none', () => {
    expect(questionsOf('a tree', task)).toEqual(['What does tree mean?']);
    expect(questionsOf('4 + 4', task)).toEqual(['What does this mean? 4 + 4']);
    expect(questionsOf('Ein Käfer', task)).toEqual(['What does käfer mean?']);
  });
});

test('the root binds every answer and its place', () => {
  const answer = (text: string) => {
    return { text, tokens: [1, 2], finishReason: 'stop', promptTokens: 3, outputTokens: 2 } as const;
  };
  const [one, two] = [answer('one'), answer('two')];
  expect(answersRoot([one])).not.toBe(answersRoot([two]));
  expect(answersRoot([one, two])).not.toBe(answersRoot([one, one]));
  expect(answersRoot([one, two, one])).not.toBe(answersRoot([two, one, one]));
});

test('the salt is the same for a round each time, and another one for every round and node', () => {
  const [alice, bob] = [1, 2].map((byte) => signerFromSeed(new Uint8Array(32).fill(byte)));
  const salt = roundSalt(alice!, task);
  expect(salt).toMatch(/^0x[0-9a-f]{64}$/);
  expect(roundSalt(alice!, task)).toBe(salt);
  expect(new Set([salt, roundSalt(alice!, other), roundSalt(bob!, task)]).size).toBe(3);
});

test('each creator has a seed of its own in each round', () => {
  const [alice, bob] = [toAddress(`0x${'0a'.repeat(20)}`), toAddress(`0x${'0b'.repeat(20)}`)];
  expect(new Set([topicSeed(task, alice), topicSeed(other, alice), topicSeed(task, bob)]).size).toBe(3);
});

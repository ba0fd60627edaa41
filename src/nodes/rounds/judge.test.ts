import { describe, expect, test } from 'vitest';
import type { JudgeRound } from '../../../actors/network/effects.ts';
import { cidToDigest, contentCid } from '../../core/cid.ts';
import { PouwError } from '../../core/errors.ts';
import { type Address, type Cid, toAddress } from '../../core/ids.ts';
import type { Json } from '../../core/json.ts';
import { limits } from '../../core/limits.ts';
import { roundTask } from '../../core/round-draw.ts';
import { answersRoot, questionsOf } from '../../core/round-work.ts';
import type { Comparer } from '../validator/compare.ts';
import { agree, judgeRound } from './judge.ts';
import type { RoundGround } from './round-ground.ts';

const address = (digit: string): Address => toAddress(`0x${digit.repeat(40)}`);
const [creator, preparer, alice, bob, carol] = ['1', '2', 'c', 'b', 'a'].map(address) as [
  Address,
  Address,
  Address,
  Address,
  Address,
];
const deployment = { chainId: 31_337, network: address('9') };
const round = 3;
const task = roundTask(deployment.chainId, deployment.network, round) as Address;
const story = 'Once there was a flower and a river.';

/** A store of content, and a validator that reads from it. */
function place() {
  const kept = new Map<Cid, Json>();
  const put = (value: unknown): Cid => {
    const cid = contentCid(value as Json);
    kept.set(cid, value as Json);
    return cid;
  };
  const content = {
    get: async (cid: Cid) => {
      const value = kept.get(cid);
      if (value === undefined) throw new PouwError('content_not_found', 'gone', { class: 'not-found' });
      return value;
    },
  };
  const ground = { base: { ports: { chain: { deployment }, content } } } as unknown as RoundGround;
  return { ground, put };
}

/** Texts agree where they are the same, but for those of one word, which are all alike a little. */
const comparer = {
  embedder: 'embedder',
  inference: {
    embed: async (_: string, texts: readonly string[]) => {
      const vectors = texts.map((text) => (text.startsWith('near') ? [0.6, 0.8] : text === 'good' ? [1, 0] : [0, 1]));
      return { vectors: vectors.map((vector) => Float32Array.from(vector)), tokens: 1 };
    },
  },
} as unknown as Comparer;

const topicOf = (more: object = {}) => {
  return { kind: 'round-topic', v: 1, round, task, miner: creator, model: 'm', text: story, ...more };
};
const asked = questionsOf(story, task);

/** A round that was answered so, by miners in the order drawn; `more` changes what was made before. */
function answered(
  { put }: ReturnType<typeof place>,
  given: readonly (readonly [miner: Address, text: string | undefined])[],
  { topic: topicMore = {}, questions: questionsMore = {} }: { topic?: object; questions?: object } = {},
): JudgeRound {
  const topic = put(topicOf(topicMore));
  const questions = put({
    kind: 'round-questions',
    v: 1,
    round,
    task,
    miner: preparer,
    topic,
    questions: asked,
    ...questionsMore,
  });
  const shown = given.map(([miner, text]) => {
    const answers = asked.map(() => {
      return { text: text ?? '', tokens: [1], finishReason: 'stop', promptTokens: 2, outputTokens: 1 } as const;
    });
    const content = { kind: 'round-answers', v: 1, round, task, miner, model: 'm', questions, answers };
    const result = text === undefined ? contentCid(content) : put(content);
    return { miner, resultRoot: answersRoot(answers), resultDigest: cidToDigest(result) };
  });
  const [topicDigest, questionsDigest] = [cidToDigest(topic), cidToDigest(questions)];
  const miners = given.map(([miner]) => miner);
  return { kind: 'judgeRound', round, creator, preparer, topicDigest, questionsDigest, miners, shown };
}

const judge = (on: ReturnType<typeof place>, effect: JudgeRound) =>
  judgeRound(on.ground, comparer, effect, new AbortController().signal);

describe('a round is judged', () => {
  test('by the majority of its answers; the data set has the good ones, in the order drawn', async () => {
    const on = place();
    const dataset = await judge(
      on,
      answered(on, [
        [alice, 'good'],
        [bob, 'random words'],
        [carol, 'good'],
      ]),
    );
    expect(dataset.honest).toBe(0b101);
    expect(dataset.rows).toEqual(
      asked.map((question) => ({ question, answers: [alice, carol].map((miner) => ({ miner, text: 'good' })) })),
    );
    expect(dataset.scores.map(({ miner, similarityBps }) => [miner, similarityBps])).toEqual([
      [alice, 5_000],
      [bob, 0],
      [carol, 5_000],
    ]);
  });

  test('without who shows what nobody can read, what it did not commit to, or what is not its own', async () => {
    const on = place();
    const effect = answered(on, [
      [alice, 'good'],
      [bob, undefined],
      [carol, 'good'],
      [creator, 'good'],
    ]);
    const [first, second, third, fourth] = effect.shown as [
      JudgeRound['shown'][number],
      JudgeRound['shown'][number],
      JudgeRound['shown'][number],
      JudgeRound['shown'][number],
    ];
    const copied = { ...third, resultDigest: first.resultDigest };
    const dataset = await judge(on, {
      ...effect,
      shown: [first, second, copied, { ...fourth, resultRoot: `0x${'0'.repeat(64)}` }],
    });
    expect(dataset.honest).toBe(0b0001);
  });

  test('by nobody where no answer passes', async () => {
    const on = place();
    await expect(judge(on, answered(on, [[alice, undefined]]))).rejects.toMatchObject({ code: 'no_valid_result' });
  });

  test.each([
    ['a topic of another miner', { topic: { miner: alice } }],
    ['a topic of another round', { topic: { round: 4 } }],
    ['a topic without words', { topic: { text: '' } }],
    ['a topic beyond its bound', { topic: { text: 'x'.repeat(limits.roundTopicCharsMax + 1) } }],
    ['questions of another miner', { questions: { miner: alice } }],
    ['questions of another topic', { questions: { topic: contentCid({}) } }],
    ['questions that were made up', { questions: { questions: ['What is money?'] } }],
    ['questions that are none', { questions: { questions: [] } }],
  ])('by nobody with %s', async (_, more) => {
    const on = place();
    const effect = answered(on, [[alice, 'good']], more);
    await expect(judge(on, effect)).rejects.toMatchObject({ code: 'round_content_wrong' });
  });

  test('later where its topic is not there yet', async () => {
    const on = place();
    const effect = { ...answered(on, [[alice, 'good']]), topicDigest: `0x${'5'.repeat(64)}` as const };
    await expect(judge(on, effect)).rejects.toMatchObject({ code: 'content_not_found' });
  });
});

test('two validators agree where only scores differ, and by no more than a little', async () => {
  const on = place();
  const found = await judge(
    on,
    answered(on, [
      [alice, 'good'],
      [bob, 'good'],
    ]),
  );
  const off = (by: number) => ({
    ...found,
    scores: found.scores.map((score) => ({ ...score, similarityBps: score.similarityBps + by })),
  });
  expect(agree(found, found)).toBe(true);
  expect(agree(found, off(limits.roundScoreToleranceBps))).toBe(true);
  expect(agree(found, off(-limits.roundScoreToleranceBps - 1))).toBe(false);
  expect(agree(found, { ...found, honest: 0b10 })).toBe(false);
  expect(agree(found, { ...found, scores: found.scores.slice(1) })).toBe(false);
  expect(agree(found, { ...found, rows: [] })).toBe(false);
});

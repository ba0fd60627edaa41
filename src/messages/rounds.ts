import { z } from 'zod';
import { limits } from '../core/limits.ts';
import { addressField, bytes32Field, cidField, countField, taskField, tokenIdsField } from './fields.ts';

const model = z.string().min(1).max(256);
const ofRound = { v: z.literal(1), round: countField, task: taskField, miner: addressField };
const honestBits = countField.max(2 ** limits.roundAnswerersMax - 1);

/** What a creator makes: a text of its model. */
export const topicContent = z.strictObject({
  kind: z.literal('round-topic'),
  ...ofRound,
  model,
  text: z.string().min(1).max(limits.roundTopicCharsMax),
});
export type TopicContent = z.infer<typeof topicContent>;

/** What a preparer makes of it. */
export const questionsContent = z.strictObject({
  kind: z.literal('round-questions'),
  ...ofRound,
  topic: cidField,
  questions: z
    .array(
      z
        .string()
        .min(1)
        .max(limits.roundTopicCharsMax + 64),
    )
    .min(1)
    .max(limits.roundQuestionsMax),
});
export type QuestionsContent = z.infer<typeof questionsContent>;

const answer = z.strictObject({
  text: z.string().max(limits.roundAnswerCharsMax),
  tokens: tokenIdsField.max(limits.roundAnswerTokensMax),
  finishReason: z.enum(['stop', 'length', 'cancelled']),
  promptTokens: countField,
  outputTokens: countField,
});

/** A miner's answers, in the order of the questions. */
export const answersContent = z.strictObject({
  kind: z.literal('round-answers'),
  ...ofRound,
  model,
  questions: cidField,
  answers: z.array(answer).min(1).max(limits.roundQuestionsMax),
});
export type AnswersContent = z.infer<typeof answersContent>;

/** What a round leaves behind: questions with the answers that are good, and how alike each miner's are to the others'. */
export const datasetContent = z.strictObject({
  kind: z.literal('dataset'),
  v: z.literal(1),
  round: countField,
  task: taskField,
  topic: cidField,
  questions: cidField,
  similarityBps: countField.max(10_000),
  honest: honestBits,
  rows: z.array(
    z.strictObject({
      question: z.string(),
      answers: z.array(z.strictObject({ miner: addressField, text: z.string() })).max(limits.roundAnswerersMax),
    }),
  ),
  scores: z
    .array(z.strictObject({ miner: addressField, result: cidField, similarityBps: z.number().int() }))
    .max(limits.roundAnswerersMax),
});
export type DatasetContent = z.infer<typeof datasetContent>;

/** Validator to validator: sign this outcome of a round that we both judge, if you have found the same. */
export const signRoundBody = z.object({ round: countField, dataset: cidField, honest: honestBits });
export type SignRoundBody = z.infer<typeof signRoundBody>;

/** The answer to it. */
export const roundSignature = z.object({ signature: z.object({ r: bytes32Field, vs: bytes32Field }) });

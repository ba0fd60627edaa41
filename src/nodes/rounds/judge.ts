import type { JudgeRound } from '../../../actors/network/effects.ts';
import type { ScoredResult } from '../../../actors/validator/checks/check.ts';
import { reachVerdict } from '../../../actors/validator/verdict.ts';
import { canonicalJson } from '../../core/canonical-json.ts';
import { digestToCid } from '../../core/cid.ts';
import { errorCode, PouwError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { answersRoot, questionsOf } from '../../core/round-work.ts';
import {
  type AnswersContent,
  answersContent,
  type DatasetContent,
  questionsContent,
  topicContent,
} from '../../messages/rounds.ts';
import { type Comparer, compareTexts, type Similarities } from '../validator/compare.ts';
import { readContent, wrongContent } from './read-content.ts';
import { type RoundGround, taskOf } from './round-ground.ts';

/** The level of the checks that a round's answers go through. */
const roundLevel = 1;

/**
 * Compares the answers of a round as those of a task are compared, question by question, and says what data set it leaves.
 *
 * @throws PouwError `round_content_wrong` where topic or questions are not what they should be, `content_not_found`,
 *   `no_valid_result`.
 */
export async function judgeRound(
  ground: RoundGround,
  comparer: Comparer,
  effect: JudgeRound,
  signal: AbortSignal,
): Promise<DatasetContent> {
  const { round, miners, shown } = effect;
  const task = taskOf(ground, round);
  const { topic, questions, asked } = await askedIn(ground, effect, signal);
  const contents = await Promise.all(shown.map((one) => answersOf(ground, round, one, asked.length, signal)));
  const results = shown.map(({ miner, resultRoot }, index) => scored(miner, resultRoot, contents[index]));
  const similarities = await likeness(comparer, asked, contents, signal);
  const how = { level: roundLevel, similarityBps: limits.roundSimilarityBps, promptTokens: null };
  const verdict = reachVerdict({ ...how, results, similarities });
  if (verdict.winner === null) {
    throw new PouwError('no_valid_result', `No answer of round ${round} passed the checks.`, { class: 'conflict' });
  }
  // Those who answered in the order drawn, so that the data set is the same whoever makes it.
  const drawn = miners.filter((miner) => shown.some((one) => one.miner === miner));
  const good = drawn.filter((miner) => verdict.honest.includes(miner));
  const textOf = (miner: string, place: number): string =>
    contents[shown.findIndex((one) => one.miner === miner)]?.answers[place]?.text ?? '';
  return {
    kind: 'dataset',
    v: 1,
    round,
    task,
    topic,
    questions,
    similarityBps: limits.roundSimilarityBps,
    honest: good.reduce((bits, miner) => bits | (1 << miners.indexOf(miner)), 0),
    rows: asked.map((question, place) => {
      return { question, answers: good.map((miner) => ({ miner, text: textOf(miner, place) })) };
    }),
    scores: drawn.map((miner) => {
      const similarity = verdict.scores.find((score) => score.miner === miner)?.similarity ?? 0;
      const digest = shown.find((one) => one.miner === miner)?.resultDigest ?? '0x';
      return { miner, result: digestToCid(digest), similarityBps: Math.round(similarity * 10_000) };
    }),
  };
}

/** Whether two validators have found the same, but for scores that differ by a little. */
export function agree(a: DatasetContent, b: DatasetContent): boolean {
  const scoreless = ({ scores, ...rest }: DatasetContent): string =>
    canonicalJson({ ...rest, scores: scores.map(({ miner, result }) => ({ miner, result })) });
  const isNear = ({ similarityBps }: DatasetContent['scores'][number], index: number): boolean =>
    Math.abs(similarityBps - (b.scores[index]?.similarityBps ?? 0)) <= limits.roundScoreToleranceBps;
  return scoreless(a) === scoreless(b) && a.scores.every(isNear);
}

/** What was asked, where topic and questions are those of the round, and the questions follow from the topic. */
async function askedIn(ground: RoundGround, effect: JudgeRound, signal: AbortSignal) {
  const { round, creator, preparer } = effect;
  const task = taskOf(ground, round);
  const [topic, questions] = [digestToCid(effect.topicDigest), digestToCid(effect.questionsDigest)];
  const [made, asked] = await Promise.all([
    readContent(ground, topic, topicContent, signal),
    readContent(ground, questions, questionsContent, signal),
  ]);
  if (made.round !== round || made.task !== task || made.miner !== creator)
    throw wrongContent(topic, 'it is of another round or miner');
  if (asked.round !== round || asked.task !== task || asked.miner !== preparer || asked.topic !== topic)
    throw wrongContent(questions, 'it is of another round, miner or topic');
  if (canonicalJson(asked.questions) !== canonicalJson(questionsOf(made.text, task)))
    throw wrongContent(questions, 'the questions do not follow from the topic');
  return { topic, questions, asked: asked.questions };
}

type Shown = JudgeRound['shown'][number];

/** A miner's answers; undefined where they cannot be had, are no answers of its own, or are not to these questions. */
async function answersOf(
  ground: RoundGround,
  round: number,
  { miner, resultDigest }: Shown,
  questions: number,
  signal: AbortSignal,
): Promise<AnswersContent | undefined> {
  try {
    const content = await readContent(ground, digestToCid(resultDigest), answersContent, signal);
    const isOwn = content.miner === miner && content.round === round && content.task === taskOf(ground, round);
    return isOwn && content.answers.length === questions ? content : undefined;
  } catch (error) {
    if (['content_not_found', 'content_corrupt', 'round_content_wrong'].includes(errorCode(error))) return undefined;
    throw error;
  }
}

function scored(miner: Shown['miner'], root: string, content: AnswersContent | undefined): ScoredResult {
  if (content === undefined) return { miner, content: 'missing', promptTokens: 0, outputTokens: 0, tokens: 0 };
  const sum = (of: (answer: AnswersContent['answers'][number]) => number): number =>
    content.answers.reduce((total, answer) => total + of(answer), 0);
  return {
    miner,
    content: answersRoot(content.answers) === root ? 'matches' : 'differs',
    promptTokens: sum(({ promptTokens }) => promptTokens),
    outputTokens: sum(({ outputTokens }) => outputTokens),
    tokens: sum(({ tokens }) => tokens.length),
  };
}

/** How alike answers are: the mean over the questions. */
async function likeness(
  comparer: Comparer,
  questions: readonly string[],
  contents: readonly (AnswersContent | undefined)[],
  signal: AbortSignal,
): Promise<Similarities> {
  const each: Similarities[] = [];
  for (const place of questions.keys()) {
    const texts = contents.map((content) => content?.answers[place]?.text);
    each.push(await compareTexts(comparer, undefined, texts, signal));
  }
  return contents.map((_, row) =>
    contents.map((__, column) => {
      const sum = each.reduce((total, similarities) => total + (similarities[row]?.[column] ?? 0), 0);
      return sum / each.length;
    }),
  );
}

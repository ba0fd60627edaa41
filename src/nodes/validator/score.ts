import type { ScoredResult } from '../../../actors/validator/checks/check.ts';
import type { ScoreResults } from '../../../actors/validator/effects.ts';
import { errorCode } from '../../core/errors.ts';
import { resultRoot } from '../../core/precommit.ts';
import { resultContent, type ResultContentBody, type TaskContent } from '../../messages/bodies.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ContentStore } from '../../ports/content-store.ts';
import type { Inference } from '../../ports/inference.ts';
import { type PromptPorts, readPrompt } from '../step-prompt.ts';
import { type Comparer, compareTexts } from './compare.ts';

/** How long a result may take to arrive from the content network, at least. */
const contentWaitMsMin = 5_000;

/**
 * How long a result may take to arrive, in milliseconds. Whose result is not there is an outlier and loses stake, and a
 * slow network looks like one that withholds: so it has half of the time that is left, and the rest is for comparing.
 */
export function contentWaitMs(attestBy: number, nowMs: number): number {
  return Math.max(contentWaitMsMin, Math.floor((attestBy - nowMs) / 2));
}

/** What scoring needs. */
export interface ScoringPorts extends Comparer, PromptPorts {
  readonly content: ContentStore;
  readonly clock: Pick<Clock, 'now'>;
}

type ContentWait = Parameters<ContentStore['get']>[1];

/** What a validator found: one entry per result, in the order of the request. */
export interface Scores {
  readonly results: readonly ScoredResult[];
  readonly similarities: readonly (readonly number[])[];
  readonly promptTokens: number | null;
}

/** Reads every revealed result, checks it against its root, and compares the answers by their embeddings. */
export async function scoreResults(ports: ScoringPorts, request: ScoreResults, signal: AbortSignal): Promise<Scores> {
  const wait = { timeoutMs: contentWaitMs(request.attestBy, ports.clock.now()), signal };
  const found = await Promise.all(request.results.map((result) => readResult(ports.content, result, wait)));
  const roots = found.map((content) => (content === undefined ? undefined : resultRoot(content)));
  // A root that another has revealed too is of the same answer: each was bound to it before it could know the other's.
  const contents = request.results.map(({ resultRoot: root }, index) => found[index] ?? found[roots.indexOf(root)]);
  const results = request.results.map(({ miner, resultRoot: root }, index): ScoredResult => {
    const content = contents[index];
    if (content === undefined) return { miner, content: 'missing', promptTokens: 0, outputTokens: 0, tokens: 0 };
    const { promptTokens, outputTokens, tokens } = content;
    const own = roots[index];
    const state = own === undefined ? 'proven' : own === root ? 'matches' : 'differs';
    return { miner, content: state, promptTokens, outputTokens, tokens: tokens.length };
  });
  const task = await readTask(ports, request, wait);
  const texts = contents.map((content) => content?.text);
  const similarities = await compareTexts(ports, task, texts, signal);
  return { results, similarities, promptTokens: await countPrompt(ports.inference, task, signal) };
}

async function readResult(
  store: ContentStore,
  { result, miner }: ScoreResults['results'][number],
  wait: ContentWait,
): Promise<ResultContentBody | undefined> {
  try {
    const parsed = resultContent.safeParse(await store.get(result, wait));
    // A copied result names its maker: for anybody else it counts as not there.
    return parsed.success && parsed.data.miner === miner ? parsed.data : undefined;
  } catch (error) {
    if (['content_not_found', 'content_corrupt'].includes(errorCode(error))) return undefined;
    throw error;
  }
}

/** Why a prompt cannot be told: then its tokens are not counted. */
const unknowable: ReadonlySet<string> = new Set([
  'content_not_found',
  'prompt_malformed',
  'prompt_not_of_task',
  'step_prompt_too_long',
]);

async function readTask(
  ports: PromptPorts,
  { task, prompt }: Pick<ScoreResults, 'task' | 'prompt'>,
  wait: ContentWait,
): Promise<TaskContent | undefined> {
  try {
    return await readPrompt(ports, task, prompt, wait);
  } catch (error) {
    if (unknowable.has(errorCode(error))) return undefined;
    throw error;
  }
}

/** Tokens of the prompt by the validator's own copy of the model; null where it has none. */
async function countPrompt(
  inference: Inference,
  task: TaskContent | undefined,
  signal: AbortSignal,
): Promise<number | null> {
  if (task === undefined || !inference.models().some((model) => model.id === task.model)) return null;
  if (task.kind === 'prompt') return inference.countTokens(task.model, task.prompt);
  return (await inference.embed(task.model, task.texts, signal)).tokens;
}

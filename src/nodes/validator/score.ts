import type { ScoredResult } from '../../../actors/validator/checks/check.ts';
import type { ScoreResults } from '../../../actors/validator/effects.ts';
import { errorCode } from '../../core/errors.ts';
import { resultRoot } from '../../core/precommit.ts';
import { promptContent, resultContent, type ResultContentBody } from '../../messages/bodies.ts';
import type { ContentStore } from '../../ports/content-store.ts';
import type { Inference } from '../../ports/inference.ts';

/** How long a result may take to arrive from the content network. */
const resultTimeoutMs = 5_000;

/** What scoring needs. */
export interface ScoringPorts {
  readonly content: ContentStore;
  readonly inference: Inference;
  /** The model that turns answers into vectors. */
  readonly embedder: string;
}

/** What a validator found: one entry per result, in the order of the request. */
export interface Scores {
  readonly results: readonly ScoredResult[];
  readonly similarities: readonly (readonly number[])[];
  readonly promptTokens: number | null;
}

/** Reads every revealed result, checks it against its root, and compares the answers by their embeddings. */
export async function scoreResults(ports: ScoringPorts, request: ScoreResults, signal: AbortSignal): Promise<Scores> {
  const contents = await Promise.all(request.results.map((result) => readResult(ports.content, result, signal)));
  const results = request.results.map(({ miner, resultRoot: root }, index): ScoredResult => {
    const content = contents[index];
    if (content === undefined) return { miner, content: 'missing', promptTokens: 0, outputTokens: 0, tokens: 0 };
    const { promptTokens, outputTokens, tokens } = content;
    return {
      miner,
      content: resultRoot(content) === root ? 'matches' : 'differs',
      promptTokens,
      outputTokens,
      tokens: tokens.length,
    };
  });
  const similarities = await compare(
    ports,
    contents.map((content) => content?.text),
    signal,
  );
  return { results, similarities, promptTokens: await countPrompt(ports, request, signal) };
}

async function readResult(
  store: ContentStore,
  { result, miner }: ScoreResults['results'][number],
  signal: AbortSignal,
): Promise<ResultContentBody | undefined> {
  try {
    const parsed = resultContent.safeParse(await store.get(result, { timeoutMs: resultTimeoutMs, signal }));
    // A copied result names its maker: for anybody else it counts as not there.
    return parsed.success && parsed.data.miner === miner ? parsed.data : undefined;
  } catch (error) {
    if (['content_not_found', 'content_corrupt'].includes(errorCode(error))) return undefined;
    throw error;
  }
}

async function compare(
  { inference, embedder }: ScoringPorts,
  texts: readonly (string | undefined)[],
  signal: AbortSignal,
): Promise<number[][]> {
  const there = texts.filter((text) => text !== undefined && text.trim() !== '') as string[];
  const unique = [...new Set(there)];
  const vectors = unique.length === 0 ? [] : (await inference.embed(embedder, unique, signal)).vectors;
  const vectorOf = new Map(unique.map((text, index) => [text, vectors[index]]));
  return texts.map((a) => texts.map((b) => similarity(a, b, vectorOf)));
}

/** Equal texts are 1, empty ones among them; what is missing agrees with nothing. */
function similarity(
  a: string | undefined,
  b: string | undefined,
  vectorOf: ReadonlyMap<string, Float32Array | undefined>,
): number {
  if (a === undefined || b === undefined) return 0;
  if (a === b) return 1;
  const left = vectorOf.get(a);
  const right = vectorOf.get(b);
  if (left === undefined || right === undefined) return 0;
  let dot = 0;
  for (let index = 0; index < left.length; index += 1) dot += (left[index] ?? 0) * (right[index] ?? 0);
  return Math.min(1, Math.max(-1, Math.round(dot * 1_000_000) / 1_000_000));
}

/** Tokens of the prompt by the validator's own copy of the model; null where it has none. */
async function countPrompt(
  { content, inference }: ScoringPorts,
  request: ScoreResults,
  signal: AbortSignal,
): Promise<number | null> {
  try {
    const parsed = promptContent.safeParse(await content.get(request.prompt, { timeoutMs: resultTimeoutMs, signal }));
    if (!parsed.success || !inference.models().some((model) => model.id === parsed.data.model)) return null;
    return await inference.countTokens(parsed.data.model, parsed.data.prompt);
  } catch (error) {
    if (errorCode(error) === 'content_not_found') return null;
    throw error;
  }
}

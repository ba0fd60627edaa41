import { cosine, decodeVectors } from '../../core/vectors.ts';
import type { TaskContent } from '../../messages/bodies.ts';
import type { Inference } from '../../ports/inference.ts';

/** The engine and the model that turns answers into vectors. */
export interface Comparer {
  readonly inference: Inference;
  readonly embedder: string;
}

/** How alike answers are, pair by pair, 0 to 1 in the main. What is missing agrees with nothing. */
export type Similarities = number[][];

/**
 * Compares the texts of results: answers by their embeddings, embeddings by themselves. Equal texts are 1,
 * empty ones among them.
 */
export async function compareTexts(
  comparer: Comparer,
  task: TaskContent | undefined,
  texts: readonly (string | undefined)[],
  signal: AbortSignal,
): Promise<Similarities> {
  const read = task?.kind === 'embed' ? vectorsIn(texts, task.texts.length) : await meanings(comparer, texts, signal);
  return texts.map((a) => texts.map((b) => similarity(a, b, read)));
}

type Vectors = ReadonlyMap<string, readonly Float32Array[]>;

function vectorsIn(texts: readonly (string | undefined)[], count: number): Vectors {
  const read = new Map<string, readonly Float32Array[]>();
  for (const text of texts) {
    const vectors = text === undefined ? undefined : decodeVectors(text, count);
    if (text !== undefined && vectors !== undefined) read.set(text, vectors);
  }
  return read;
}

async function meanings(
  { inference, embedder }: Comparer,
  texts: readonly (string | undefined)[],
  signal: AbortSignal,
): Promise<Vectors> {
  const unique = [...new Set(texts)].filter((text): text is string => text !== undefined && text.trim() !== '');
  if (unique.length === 0) return new Map();
  const { vectors } = await inference.embed(embedder, unique, signal);
  return new Map(unique.map((text, index) => [text, vectors.slice(index, index + 1)]));
}

/** The mean cosine of two results' vectors, in their order; they must be as many and as wide. */
function similarity(a: string | undefined, b: string | undefined, read: Vectors): number {
  if (a === undefined || b === undefined) return 0;
  if (a === b) return 1;
  const left = read.get(a);
  const right = read.get(b);
  if (left === undefined || right === undefined || left[0]?.length !== right[0]?.length) return 0;
  const sum = left.reduce((total, vector, row) => total + cosine(vector, right[row] ?? new Float32Array()), 0);
  return Math.min(1, Math.max(-1, Math.round((sum / left.length) * 1_000_000) / 1_000_000));
}

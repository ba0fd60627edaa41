import { reachVerdict } from '../../actors/validator/verdict.ts';
import { createTransformersInference } from '../../src/adapters/transformers/transformers-inference.ts';
import { present } from '../../src/core/assert.ts';
import { keccak256 } from '../../src/core/hash.ts';
import { toAddress } from '../../src/core/ids.ts';
import type { Inference } from '../../src/ports/inference.ts';
import { random } from '../../src/sim/attacks/random.ts';
import { seededPrompt } from '../../src/sim/prompts.ts';
import { defaultEmbedder, defaultModel } from '../../src/cli/compose/defaults.ts';
import type { Figure, FigureOptions, FigureResult, Matrix } from './figure.ts';

const temperatures = [0, 0.7, 1] as const;
const thresholds = [0.2, 0.3, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7, 0.8] as const;
/** Answers of each kind to each prompt. */
const answersEach = 5;
const cheapModel = 'pebble-mini';

const cheats = ['random text', 'pebble-mini'] as const;

type Cheat = (typeof cheats)[number];
type Temperature = (typeof temperatures)[number];
type Vector = Float32Array;

/** Every answer to one prompt, as vectors. */
interface Answers {
  readonly honest: Readonly<Record<Temperature, readonly Vector[]>>;
  readonly dishonest: Readonly<Record<Cheat, Readonly<Record<Temperature, readonly Vector[]>>>>;
}

/** How often the real check of level 1 is wrong at each threshold, over real answers. */
export const similarity: Figure = {
  name: 'similarity',
  title: 'wrong verdicts at k = 3 in percent of rounds, by similarity threshold; pebble-chat on pebble-embed',
  run: measure,
};

async function measure({ quick, onStep }: FigureOptions): Promise<FigureResult> {
  const inference = await createTransformersInference({ device: 'cpu' });
  try {
    for (const model of [defaultModel, cheapModel, defaultEmbedder]) await inference.load(model);
    const prompts = promptsOf(quick ? 6 : 80);
    const all: Answers[] = [];
    for (const [index, prompt] of prompts.entries()) {
      onStep(`prompt ${index + 1} of ${prompts.length}`);
      all.push(await answersTo(inference, prompt));
    }
    return { rows: [], matrix: matrixOf(all), notes: [...explanation, ...cosines(all)] };
  } finally {
    await inference.close();
  }
}

const explanation = [
  'False positive: one of three honest miners is named. Missed: a dishonest one beside two honest ones is not.',
  'A miss is mostly no verdict: two honest answers that do not agree with each other make no majority, and nobody is named.',
];

function promptsOf(count: number): string[] {
  const prompts = new Set<string>();
  for (let draw = 0; prompts.size < count && draw < 10 * count; draw += 1)
    prompts.add(seededPrompt('similarity', draw));
  return [...prompts];
}

async function answersTo(inference: Inference, prompt: string): Promise<Answers> {
  const of =
    (engine: Inference, model: string) =>
    async (temperature: Temperature): Promise<readonly Vector[]> => {
      const seeds = Array.from({ length: answersEach }, (_, index) =>
        keccak256(`${model}/${prompt}/${temperature}/${index}`),
      );
      const texts = await Promise.all(seeds.map((seed) => answer(engine, model, prompt, temperature, seed)));
      return (await inference.embed(defaultEmbedder, texts)).vectors;
    };
  const honest = await byTemperature(of(inference, defaultModel));
  const mini = await byTemperature(of(inference, cheapModel));
  const babble = await byTemperature(of(random.engine(inference), defaultModel));
  return { honest, dishonest: { 'random text': babble, 'pebble-mini': mini } };
}

async function byTemperature(
  make: (temperature: Temperature) => Promise<readonly Vector[]>,
): Promise<Record<Temperature, readonly Vector[]>> {
  return { 0: await make(0), 0.7: await make(0.7), 1: await make(1) };
}

async function answer(
  inference: Inference,
  model: string,
  prompt: string,
  temperature: number,
  seed: `0x${string}`,
): Promise<string> {
  let text = '';
  const request = {
    model,
    prompt: { messages: [{ role: 'user', content: prompt }] },
    maxTokens: 64,
    sampling: { temperature, topP: 1, topK: 0, seed },
    timeoutMs: 60_000,
  } as const;
  for await (const event of inference.generate(request)) text += event.type === 'prefix' ? '' : event.text;
  // The embedder takes no empty text.
  return text.trim() === '' ? '.' : text;
}

function matrixOf(all: readonly Answers[]): Matrix {
  const percent = (value: number): number => Math.round(1_000 * value) / 10;
  const at = <T>(of: (temperature: Temperature) => T): T[] => temperatures.map(of);
  return {
    heads: [
      'threshold',
      ...at((t) => `honest named, T=${t}`),
      ...cheats.flatMap((cheat) => at((t) => `${cheat} missed, T=${t}`)),
    ],
    lines: thresholds.map((threshold) => [
      threshold.toFixed(2),
      ...at((temperature) => percent(falsePositives(all, temperature, threshold))),
      ...cheats.flatMap((cheat) => at((temperature) => percent(misses(all, cheat, temperature, threshold)))),
    ]),
  };
}

function falsePositives(all: readonly Answers[], temperature: Temperature, threshold: number): number {
  const rounds = all.flatMap(({ honest }) => triples(honest[temperature]));
  return share(rounds, (round) => named(round, threshold).length > 0);
}

function misses(all: readonly Answers[], cheat: Cheat, temperature: Temperature, threshold: number): number {
  const rounds = all.flatMap(({ honest, dishonest }) =>
    pairs(honest[temperature]).flatMap((pair) => dishonest[cheat][temperature].map((one) => [...pair, one])),
  );
  return share(rounds, (round) => !named(round, threshold).includes(2));
}

function share<T>(items: readonly T[], test: (item: T) => boolean): number {
  return items.filter(test).length / items.length;
}

const miners = [1, 2, 3].map((number) => toAddress(`0x${String(number).repeat(40)}`));

/** The places of those the network's own verdict names. */
function named(round: readonly Vector[], threshold: number): number[] {
  const verdict = reachVerdict({
    level: 1,
    similarityBps: Math.round(threshold * 10_000),
    results: miners.map((miner) => ({ miner, content: 'matches', promptTokens: 1, outputTokens: 1, tokens: 1 })),
    similarities: round.map((a) => round.map((b) => cosine(a, b))),
    promptTokens: 1,
  });
  return verdict.outliers.map(({ miner }) => miners.indexOf(miner));
}

function cosine(a: Vector, b: Vector): number {
  return Math.min(
    1,
    a.reduce((sum, value, index) => sum + value * present(b[index], 'an axis'), 0),
  );
}

function pairs<T>(items: readonly T[]): (readonly [T, T])[] {
  return items.flatMap((a, index) => items.slice(index + 1).map((b) => [a, b] as const));
}

function triples<T>(items: readonly T[]): (readonly [T, T, T])[] {
  return items.flatMap((a, index) => pairs(items.slice(index + 1)).map(([b, c]) => [a, b, c] as const));
}

/** Quantiles of the pairwise cosines behind the verdicts. */
function cosines(all: readonly Answers[]): string[] {
  const line = (what: string, values: readonly number[]): string => {
    const sorted = values.toSorted((a, b) => a - b);
    const at = (quantile: number): string =>
      present(sorted[Math.floor(quantile * (sorted.length - 1))], 'a cosine').toFixed(2);
    return `cosine ${what}: least ${at(0)}, 1 % ${at(0.01)}, 5 % ${at(0.05)}, half ${at(0.5)}, 95 % ${at(0.95)}, 99 % ${at(0.99)}, most ${at(1)}`;
  };
  const cross = (a: readonly Vector[], b: readonly Vector[]): number[] =>
    a.flatMap((one) => b.map((other) => cosine(one, other)));
  return temperatures.flatMap((temperature) => [
    line(
      `honest – honest, T=${temperature}`,
      all.flatMap(({ honest }) => pairs(honest[temperature]).map(([a, b]) => cosine(a, b))),
    ),
    ...cheats.map((cheat) =>
      line(
        `honest – ${cheat}, T=${temperature}`,
        all.flatMap(({ honest, dishonest }) => cross(honest[temperature], dishonest[cheat][temperature])),
      ),
    ),
  ]);
}

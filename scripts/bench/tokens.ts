import { join } from 'node:path';
import { openDemoSession } from '../../src/cli/compose/demo-session.ts';
import { defaultEmbedder, defaultModel } from '../../src/cli/compose/defaults.ts';
import { openEngine } from '../../src/cli/compose/engine.ts';
import { composeLocalNetwork, type LocalNetwork } from '../../src/cli/compose/local-network.ts';
import { systemClock, systemRandom } from '../../src/adapters/local/system-clock.ts';
import { present } from '../../src/core/assert.ts';
import { createGateway } from '../../src/gateway/gateway.ts';
import type { Inference } from '../../src/ports/inference.ts';
import type { Figure, FigureOptions, FigureResult, Row } from './figure.ts';
import { compared, interleave, median } from './interleave.ts';

/** How the network feels to somebody who reads an answer. */
export const tokens: Figure = {
  name: 'tokens',
  title: 'time to first token and tokens per second over HTTP, against the model called directly in the same pool',
  run: measure,
};

const prompts = ['dog', 'king', 'garden', 'boat', 'teacher', 'winter'].map(
  (word) => `Tell me a story about a ${word}.`,
);
const maxTokens = 96;
const seed = `0x${'0'.repeat(64)}` as const;

/** One answer as its reader saw it. */
interface Answer {
  readonly firstMs: number;
  readonly lastMs: number;
  readonly chunks: number;
}

/** Asks for one answer. */
type Ask = (prompt: string) => Promise<Answer>;

interface Sample {
  readonly firstMs: number;
  /** Of the stream, once it runs. */
  readonly tokensPerSecond: number;
  /** Of all answers at a time. */
  readonly together: number;
}

async function measure({ quick, scratch, onStep }: FigureOptions): Promise<FigureResult> {
  const rounds = quick ? 1 : 4;
  const asked = prompts.slice(0, quick ? 2 : prompts.length);
  const network = await composeLocalNetwork({
    data: join(scratch, 'network'),
    engine: () => openEngine({ model: defaultModel, embedder: defaultEmbedder, device: 'cpu' }),
    logLevel: 'warn',
  });
  const gateway = createGateway({ network: network.front, clock: systemClock, random: systemRandom });
  try {
    const { url } = await gateway.listen('127.0.0.1', 0);
    const sides: Record<'direct' | 'one' | 'three', Ask> = {
      direct: (prompt) => askModel(network.engine.inference, prompt),
      one: await door(network, url, 1),
      three: await door(network, url, 3),
    };
    await network.ready();
    const sample =
      (side: keyof typeof sides) =>
      async (round: number): Promise<Sample> => {
        onStep(`round ${round}: ${side}`);
        return sampleOf(sides[side], asked);
      };
    const samples = await interleave(rounds, { direct: sample('direct'), one: sample('one'), three: sample('three') });
    const rows = (key: keyof Sample, what: string, unit: string): Row[] =>
      (['one', 'three'] as const).map((side) =>
        compared(
          { what: `${what}, k = ${side === 'one' ? 1 : 3}`, unit, against: 'the model called directly' },
          samples[side].map((one) => one[key]),
          samples.direct.map((one) => one[key]),
        ),
      );
    return {
      rows: [
        ...rows('firstMs', 'time to first token, one answer at a time', 'ms'),
        ...rows('tokensPerSecond', 'stream once it runs, one answer at a time', 'tokens/s'),
        ...rows('together', 'answers delivered, six at a time', 'tokens/s'),
      ],
      notes: [
        'At k = 3 the pool generates every answer three times; on a machine of its own each miner would not share the cores.',
      ],
    };
  } finally {
    await gateway.close();
    await network.stop(5_000);
  }
}

async function sampleOf(ask: Ask, asked: readonly string[]): Promise<Sample> {
  const alone: Answer[] = [];
  for (const prompt of asked) alone.push(await ask(prompt));
  const startedAt = performance.now();
  const together = await Promise.all(asked.map(ask));
  const tokensTogether = together.reduce((sum, { chunks }) => sum + chunks, 0);
  return {
    firstMs: median(alone.map(({ firstMs }) => firstMs)),
    tokensPerSecond: median(alone.map(({ firstMs, lastMs, chunks }) => ((chunks - 1) * 1_000) / (lastMs - firstMs))),
    together: (tokensTogether * 1_000) / (performance.now() - startedAt),
  };
}

/** Notes when pieces of an answer come. */
class Stopwatch {
  readonly #startedAt = performance.now();
  #firstMs: number | undefined;
  #lastMs = 0;
  #chunks = 0;

  piece(): void {
    this.#lastMs = performance.now() - this.#startedAt;
    this.#firstMs ??= this.#lastMs;
    this.#chunks += 1;
  }

  answer(): Answer {
    return { firstMs: present(this.#firstMs, 'a first token'), lastMs: this.#lastMs, chunks: this.#chunks };
  }
}

async function askModel(inference: Inference, content: string): Promise<Answer> {
  const watch = new Stopwatch();
  const sampling = { temperature: 0, topP: 1, topK: 0, seed };
  for await (const event of inference.generate({
    model: defaultModel,
    prompt: { messages: [{ role: 'user', content }] },
    maxTokens,
    sampling,
    timeoutMs: 60_000,
  })) {
    if (event.type !== 'prefix' && event.text !== '') watch.piece();
  }
  return watch.answer();
}

/** Opens a session with this redundancy. @returns how to ask it over HTTP. */
async function door(network: LocalNetwork, url: string, redundancy: number): Promise<Ask> {
  const { apiKey } = await openDemoSession(network, network.engine.model, `tokens-${redundancy}`, { redundancy });
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' };
  return async (content) => {
    const watch = new Stopwatch();
    const body = JSON.stringify({
      model: network.engine.model,
      messages: [{ role: 'user', content }],
      max_tokens: maxTokens,
      stream: true,
    });
    const answer = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body });
    if (!answer.ok || answer.body === null)
      throw new Error(`the gateway answered ${answer.status}: ${await answer.text()}`);
    for await (const line of linesOf(answer.body)) if (hasText(line)) watch.piece();
    return watch.answer();
  };
}

async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of body) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

function hasText(line: string): boolean {
  if (!line.startsWith('data: {')) return false;
  const { choices } = JSON.parse(line.slice('data: '.length)) as {
    choices?: readonly { delta?: { content?: string } }[];
  };
  return (choices?.[0]?.delta?.content ?? '') !== '';
}

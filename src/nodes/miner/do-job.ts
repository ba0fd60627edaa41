import type { Infer } from '../../../actors/miner/effects.ts';
import { digestToCid } from '../../core/cid.ts';
import { PouwError } from '../../core/errors.ts';
import type { Address, Cid } from '../../core/ids.ts';
import { type ResultContent, resultRoot, samplingSeed } from '../../core/precommit.ts';
import { encodeVectors } from '../../core/vectors.ts';
import type { Hex } from '../../core/hash.ts';
import type { PromptContent, ResultContentBody, TokenBody } from '../../messages/bodies.ts';
import type { ContentStore } from '../../ports/content-store.ts';
import type { GenerateEvent, GenerateRequest, Inference } from '../../ports/inference.ts';
import { notOf, type PromptPorts, readPrompt } from '../step-prompt.ts';

/** How long a prompt may take to arrive from the content network. */
const promptTimeoutMs = 10_000;
/** Wall-clock bound of one generation; the chain's deadline is usually nearer. */
const generationTimeoutMs = 600_000;

/** Tokens of a prefix that one message says again. */
const prefixChunkTokens = 256;

/** What a generation needs. */
export interface GenerationPorts extends PromptPorts {
  readonly content: ContentStore;
  readonly inference: Inference;
}

/** A job, and whether a batch settles its task. */
export type Job = Infer & { readonly isBatched: boolean };

/** A finished answer, on the disk: a log that names an answer that a crash took away would cost the miner its stake. */
export interface Produced {
  readonly resultRoot: Hex;
  readonly result: Cid;
  readonly tokens: number;
  readonly finishReason: ResultContentBody['finishReason'];
}

type Token = Extract<GenerateEvent, { type: 'token' }>;

/**
 * Does a job: generates the answer under this miner's seed and hands every token to `stream` as it is made,
 * or embeds texts; and stores the whole.
 *
 * @throws PouwError `content_not_found`, `prompt_malformed`, `prompt_not_of_task`, `step_prompt_too_long`, and what the model refuses.
 */
export async function doJob(
  ports: GenerationPorts,
  miner: Address,
  job: Job,
  stream: (chunk: TokenBody) => void,
  signal: AbortSignal,
): Promise<Produced> {
  const made = await whileHolds(requireOfTask(ports, job), signal, (ends) => make(ports, miner, job, stream, ends));
  signal.throwIfAborted();
  const { task, attempt, model, prefix } = job;
  const common = { kind: 'result', v: 1, task, attempt, miner, model, prefixTokens: prefix.length } as const;
  const content: ResultContentBody = { ...common, ...made, tokens: [...made.tokens] };
  const result = await ports.content.put(content);
  await ports.content.flush();
  return { resultRoot: resultRoot(made), result, tokens: made.tokens.length, finishReason: made.finishReason };
}

async function make(
  ports: GenerationPorts,
  miner: Address,
  job: Job,
  stream: (chunk: TokenBody) => void,
  signal: AbortSignal,
): Promise<ResultContent> {
  const asked = await readPrompt(ports, job.task, job.prompt, { timeoutMs: promptTimeoutMs, signal });
  signal.throwIfAborted();
  return asked.kind === 'embed'
    ? await embed(ports.inference, job.model, asked.texts, signal)
    : await generate(ports.inference, requestFor(miner, job, asked, signal), job, stream);
}

/**
 * Works while a question is answered: nobody but the router, which knows better, sees anything of it before, and the answer
 * is nearly always that all is well. Where it is not, the work ends with its error.
 */
async function whileHolds<Made>(
  question: Promise<void>,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<Made>,
): Promise<Made> {
  const refused = new AbortController();
  question.catch((error: unknown) => refused.abort(error));
  try {
    const made = await work(AbortSignal.any([signal, refused.signal]));
    await question;
    return made;
  } catch (error) {
    if (refused.signal.aborted) await question;
    throw error;
  }
}

/** Vectors have no tokens to stream: their words are the bytes of the vectors. */
async function embed(
  inference: Inference,
  model: string,
  texts: readonly string[],
  signal: AbortSignal,
): Promise<ResultContent> {
  const { vectors, tokens } = await inference.embed(model, texts, signal);
  return { text: encodeVectors(vectors), tokens: [], finishReason: 'stop', promptTokens: tokens, outputTokens: 0 };
}

async function generate(
  inference: Inference,
  request: GenerateRequest,
  { task, attempt, prefix }: Infer,
  stream: (chunk: TokenBody) => void,
): Promise<ResultContent> {
  let seq = 0;
  let index = prefix.length;
  const send = (ids: readonly number[], text: string, extra: Partial<TokenBody>): void => {
    stream({ task, attempt, seq, index, ids: [...ids], text, ...extra });
    seq += 1;
    index += ids.length;
  };
  let streamed = '';
  for await (const event of inference.generate(request)) {
    if (event.type === 'prefix') {
      // Who joins late reads the whole answer here, also the words of a miner that is gone.
      index = 0;
      for (let from = 0; from < event.texts.length; from += prefixChunkTokens) {
        const texts = event.texts.slice(from, from + prefixChunkTokens);
        send(prefix.slice(from, from + texts.length), texts.join(''), { texts });
      }
      continue;
    }
    if (event.type === 'token') {
      streamed += event.text;
      send([event.id], event.text, scores(event));
      continue;
    }
    const { prefixText, text, finishReason, promptTokens, outputTokens, tokens } = event;
    request.signal?.throwIfAborted();
    send([], text, { done: { finishReason, promptTokens, outputTokens } });
    return { text: prefixText + streamed + text, tokens, finishReason, promptTokens, outputTokens };
  }
  throw new PouwError('inference_failed', `The model ended the answer to ${task} without a result.`);
}

function scores({ logprob, top }: Token): Partial<TokenBody> {
  return { ...(logprob === undefined ? {} : { logprob }), ...(top === undefined ? {} : { top: [...top] }) };
}

function requestFor(miner: Address, job: Infer, content: PromptContent, signal: AbortSignal): GenerateRequest {
  const seed = samplingSeed(job.session, job.task, job.step, job.attempt, miner);
  return {
    model: job.model,
    prompt: content.prompt,
    prefix: job.prefix,
    maxTokens: job.maxTokens,
    sampling: { ...content.sampling, seed },
    stop: content.stop,
    topLogprobs: content.topLogprobs,
    timeoutMs: generationTimeoutMs,
    signal,
  };
}

/**
 * A miner that worked on another prompt or step than the chain has would be called an outlier, or could not show what it is
 * bound to: it does not believe its router. A task of a batch is not on chain.
 */
async function requireOfTask({ chain }: GenerationPorts, { task, prompt, step, isBatched }: Job): Promise<void> {
  if (isBatched) return;
  const source = await chain.stepSource(task);
  if (source?.step !== step || digestToCid(source.promptDigest) !== prompt) throw notOf(task);
}

import type { Infer } from '../../../actors/miner/effects.ts';
import { PouwError } from '../../core/errors.ts';
import type { Address, Cid } from '../../core/ids.ts';
import { resultRoot, samplingSeed } from '../../core/precommit.ts';
import type { Hex } from '../../core/hash.ts';
import { promptContent, type PromptContent, type ResultContentBody, type TokenBody } from '../../messages/bodies.ts';
import type { ContentStore } from '../../ports/content-store.ts';
import type { GenerateEvent, Inference } from '../../ports/inference.ts';

/** How long a prompt may take to arrive from the content network. */
const promptTimeoutMs = 10_000;
/** Wall-clock bound of one generation; the chain's deadline is usually nearer. */
const generationTimeoutMs = 600_000;

/** What a generation needs. */
export interface GenerationPorts {
  readonly content: ContentStore;
  readonly inference: Inference;
}

/** A finished answer, stored. */
export interface Produced {
  readonly resultRoot: Hex;
  readonly result: Cid;
  readonly tokens: number;
  readonly finishReason: ResultContentBody['finishReason'];
}

type Done = Extract<GenerateEvent, { type: 'done' }>;
type Token = Extract<GenerateEvent, { type: 'token' }>;

/**
 * Generates the answer to a job under this miner's seed, hands every token to `stream` as it is made, and
 * stores the whole.
 *
 * @throws PouwError `content_not_found`, `prompt_malformed`, and what the model refuses.
 */
export async function generateAnswer(
  ports: GenerationPorts,
  miner: Address,
  job: Infer,
  stream: (chunk: TokenBody) => void,
  signal: AbortSignal,
): Promise<Produced> {
  const prompt = await readPrompt(ports.content, job.prompt, signal);
  const { task, attempt, prefix } = job;
  let seq = 0;
  let index = prefix.length;
  const send = (ids: readonly number[], text: string, extra: Partial<TokenBody>): void => {
    stream({ task, attempt, seq, index, ids: [...ids], text, ...extra });
    seq += 1;
    index += ids.length;
  };
  let done: Done | undefined;
  let streamed = '';
  for await (const event of ports.inference.generate(requestFor(miner, job, prompt, signal))) {
    if (event.type === 'done') {
      done = event;
      break;
    }
    streamed += event.text;
    send([event.id], event.text, scores(event));
  }
  if (done === undefined)
    throw new PouwError('inference_failed', `The model ended the answer to ${task} without a result.`);
  const { finishReason, promptTokens, outputTokens, tokens } = done;
  signal.throwIfAborted();
  send([], done.text, { done: { finishReason, promptTokens, outputTokens } });
  const content: ResultContentBody = {
    kind: 'result',
    v: 1,
    task,
    attempt,
    miner,
    model: job.model,
    text: done.prefixText + streamed + done.text,
    tokens: [...tokens],
    finishReason,
    promptTokens,
    outputTokens,
    prefixTokens: prefix.length,
  };
  const result = await ports.content.put(content);
  return {
    resultRoot: resultRoot({ tokens, finishReason, promptTokens, outputTokens }),
    result,
    tokens: tokens.length,
    finishReason,
  };
}

function scores({ logprob, top }: Token): Partial<TokenBody> {
  return { ...(logprob === undefined ? {} : { logprob }), ...(top === undefined ? {} : { top: [...top] }) };
}

function requestFor(
  miner: Address,
  job: Infer,
  content: PromptContent,
  signal: AbortSignal,
): Parameters<Inference['generate']>[0] {
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

async function readPrompt(store: ContentStore, cid: Cid, signal: AbortSignal): Promise<PromptContent> {
  const parsed = promptContent.safeParse(await store.get(cid, { timeoutMs: promptTimeoutMs, signal }));
  if (parsed.success) return parsed.data;
  throw new PouwError('prompt_malformed', `The content ${cid} is not a prompt.`, {
    class: 'invalid',
    why: parsed.error.message,
  });
}

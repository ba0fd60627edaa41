import type { FinishReason } from '../core/precommit.ts';
import { limits } from '../core/limits.ts';
import type { TokenBody } from '../messages/bodies.ts';
import type { TokenScore } from '../ports/gateway-network.ts';

/** A token as a client reads it. */
export interface DeliveredToken {
  readonly index: number;
  readonly id: number;
  readonly text: string;
  readonly logprob?: TokenScore;
  readonly top?: readonly TokenScore[];
}

/** How an answer ended, with the text its last chunk still held. */
export interface StreamEnd {
  readonly text: string;
  readonly finishReason: FinishReason;
  readonly promptTokens: number;
  readonly outputTokens: number;
}

/**
 * What became of a chunk: its words are taken; it waits for one before it; it was taken before; or it is none of this
 * stream's.
 */
export type ChunkFate = 'taken' | 'ahead' | 'known' | 'refused';

/** What one miner has streamed in one making of its answer: chunks in the order of their numbers, however they come. */
export class MinerStream {
  readonly attempt: number;
  /** Names the making; undefined where the miner does not say. */
  readonly run: string | undefined;
  /** Tokens by their place. */
  readonly tokens: DeliveredToken[] = [];
  /** Chunks that came before their turn, by their number. */
  readonly #ahead = new Map<number, TokenBody>();
  #from: number | undefined;
  #nextSeq = 0;
  #end: StreamEnd | undefined;
  /** When its first words came, in milliseconds since 1970. */
  readonly begunAt: number;
  #seenAt: number;

  constructor({ attempt, run }: Pick<TokenBody, 'attempt' | 'run'>, nowMs: number) {
    this.attempt = attempt;
    this.run = run;
    this.begunAt = nowMs;
    this.#seenAt = nowMs;
  }

  /** Place of the first token here: behind a prefix that the miner was given and does not say again. */
  get from(): number {
    return this.#from ?? 0;
  }

  /** How far it has come, in tokens of the answer. */
  get progress(): number {
    return this.from + this.tokens.length;
  }

  /** Set once the answer is whole. */
  get end(): StreamEnd | undefined {
    return this.#end;
  }

  /** When its words last went on, milliseconds since 1970. */
  get seenAt(): number {
    return this.#seenAt;
  }

  /** The number of the first chunk that is not here. */
  get nextSeq(): number {
    return this.#nextSeq;
  }

  /** Whether chunks have come that lie behind a missing one. */
  get hasGap(): boolean {
    return this.#ahead.size > 0;
  }

  /** Whether a chunk is of a later making than this one, which it replaces. */
  isReplacedBy({ attempt, run, seq }: TokenBody): boolean {
    if (attempt !== this.attempt) return attempt > this.attempt;
    if (this.#end !== undefined) return false;
    return run === undefined && this.run === undefined ? seq === 0 && this.#nextSeq > 0 : run !== this.run;
  }

  /** Takes a chunk, and those that waited for it. */
  accept(chunk: TokenBody, nowMs: number): ChunkFate {
    if (chunk.attempt !== this.attempt || chunk.run !== this.run) return 'refused';
    if (chunk.seq < this.#nextSeq) return 'known';
    if (this.#end !== undefined) return 'refused';
    if (chunk.seq > this.#nextSeq) {
      if (this.#ahead.size >= limits.chunksAheadMax) return 'refused';
      this.#ahead.set(chunk.seq, chunk);
      return 'ahead';
    }
    if (!this.#append(chunk)) return 'refused';
    this.#seenAt = nowMs;
    this.#takeWaiting();
    return 'taken';
  }

  #takeWaiting(): void {
    for (;;) {
      const next = this.#ahead.get(this.#nextSeq);
      if (next === undefined) return;
      this.#ahead.delete(next.seq);
      // What does not fit behind the words before it is worth no waiting, and neither is what comes after it.
      if (!this.#append(next)) return this.#ahead.clear();
    }
  }

  #append(chunk: TokenBody): boolean {
    const from = this.#from ?? chunk.index;
    const { ids, texts, index, done } = chunk;
    const fits =
      this.#end === undefined &&
      index === from + this.tokens.length &&
      index + ids.length <= limits.outputTokensMax &&
      (texts === undefined || texts.length === ids.length);
    if (!fits) return false;
    this.#from = from;
    this.#nextSeq += 1;
    ids.forEach((id, offset) => this.tokens.push(tokenOf(chunk, id, offset)));
    if (done !== undefined) this.#end = { text: chunk.text, ...done };
    return true;
  }
}

function tokenOf(
  { ids, index, text, texts, done, logprob, top }: TokenBody,
  id: number,
  offset: number,
): DeliveredToken {
  if (texts !== undefined) return { index: index + offset, id, text: texts[offset] ?? '' };
  // A chunk's text belongs to its last token: the ones before only complete it.
  const isLast = offset === ids.length - 1;
  return {
    index: index + offset,
    id,
    text: isLast && done === undefined ? text : '',
    ...(isLast && logprob !== undefined ? { logprob } : {}),
    ...(isLast && top !== undefined ? { top } : {}),
  };
}

import { hashJson, type Hex } from '../core/hash.ts';
import { limits } from '../core/limits.ts';
import type { Address } from '../core/ids.ts';
import { type FinishReason, resultRoot } from '../core/precommit.ts';
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

/** What one miner has streamed so far. */
interface MinerStream {
  readonly attempt: number;
  /** Tokens by their place; those of a prefix it was given are the client's own. */
  readonly tokens: DeliveredToken[];
  /** Place of the first streamed token: the length of the prefix it continues. */
  readonly from: number;
  nextSeq: number;
  end: StreamEnd | undefined;
  /** When its last chunk came, milliseconds since 1970. */
  seenAt: number;
}

/** Told when the client's words go on. */
export type StreamListener = () => void;

/**
 * The words of one task, from all its miners, and the ones the client is given: the primary's. When the
 * primary dies, the words go on from a miner whose own stream begins with what the client has, or from a
 * replacement that was given that prefix to continue.
 */
export class TaskStream {
  readonly #miners = new Map<Address, MinerStream>();
  readonly #delivered: DeliveredToken[] = [];
  readonly #listeners = new Set<StreamListener>();
  #primary: Address | null = null;
  #end: StreamEnd | undefined;

  /** What the client may read now. */
  get delivered(): readonly DeliveredToken[] {
    return this.#delivered;
  }

  /** Set once the primary's answer is whole. */
  get end(): StreamEnd | undefined {
    return this.#end;
  }

  get primary(): Address | null {
    return this.#primary;
  }

  /** Calls `listener` after every change until the disposer is called. */
  listen(listener: StreamListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Makes a miner's words the client's. Words it has already streamed are delivered at once. */
  setPrimary(miner: Address | null): void {
    if (this.#primary === miner) return;
    this.#primary = miner;
    this.#deliver();
  }

  /**
   * Takes a chunk. Chunks out of order, of an older attempt, or after the end are refused.
   *
   * @returns whether the chunk was taken.
   */
  accept(miner: Address, chunk: TokenBody, nowMs: number): boolean {
    let stream = this.#miners.get(miner);
    if (
      stream === undefined ||
      chunk.attempt > stream.attempt ||
      (chunk.seq === 0 && chunk.attempt === stream.attempt && stream.end === undefined)
    ) {
      if (chunk.seq !== 0) return false;
      stream = { attempt: chunk.attempt, tokens: [], from: chunk.index, nextSeq: 0, end: undefined, seenAt: nowMs };
      this.#miners.set(miner, stream);
    }
    const room = limits.outputTokensMax - stream.from - stream.tokens.length;
    const fits =
      chunk.attempt === stream.attempt &&
      chunk.seq === stream.nextSeq &&
      stream.end === undefined &&
      chunk.ids.length <= room;
    if (!fits || chunk.index !== stream.from + stream.tokens.length) return false;
    stream.nextSeq += 1;
    stream.seenAt = nowMs;
    this.#append(stream, chunk);
    if (miner === this.#primary) this.#deliver();
    return true;
  }

  #append(stream: MinerStream, chunk: TokenBody): void {
    chunk.ids.forEach((id, offset) => {
      // A chunk's text belongs to its last token: the ones before only complete it.
      const last = offset === chunk.ids.length - 1;
      const { logprob, top } = chunk;
      stream.tokens.push({
        index: chunk.index + offset,
        id,
        text: last && chunk.done === undefined ? chunk.text : '',
        ...(last && logprob !== undefined ? { logprob } : {}),
        ...(last && top !== undefined ? { top } : {}),
      });
    });
    if (chunk.done !== undefined) stream.end = { text: chunk.text, ...chunk.done };
  }

  #deliver(): void {
    const stream = this.#primary === null ? undefined : this.#miners.get(this.#primary);
    if (stream === undefined || this.#end !== undefined || !this.#continues(stream)) return;
    this.#delivered.push(...stream.tokens.slice(this.#delivered.length - stream.from));
    this.#end = stream.end;
    for (const listener of this.#listeners) listener();
  }

  /** Whether a stream begins with what the client already has. */
  #continues(stream: MinerStream): boolean {
    if (stream.from > this.#delivered.length) return false;
    const overlap = this.#delivered.slice(stream.from);
    return (
      stream.tokens.length >= overlap.length && overlap.every((token, offset) => stream.tokens[offset]?.id === token.id)
    );
  }

  /** A live miner whose stream can take over without a new inference: the one that is farthest. */
  successor(live: readonly Address[]): Address | undefined {
    let best: { miner: Address; tokens: number } | undefined;
    for (const miner of live) {
      const stream = this.#miners.get(miner);
      if (miner === this.#primary || stream === undefined || !this.#continues(stream)) continue;
      const tokens = stream.from + stream.tokens.length;
      if (best === undefined || tokens > best.tokens) best = { miner, tokens };
    }
    return best?.miner;
  }

  /** When a miner was last heard in this stream; undefined where it has said nothing. */
  seenAt(miner: Address): number | undefined {
    return this.#miners.get(miner)?.seenAt;
  }

  /** How far a miner's stream has come, in tokens of the answer. */
  progress(miner: Address): number {
    const stream = this.#miners.get(miner);
    return stream === undefined ? 0 : stream.from + stream.tokens.length;
  }

  /** The ids the client has: what a replacement continues. */
  prefix(): number[] {
    return this.#delivered.map((token) => token.id);
  }

  /** Names the delivered words for the log. */
  prefixHash(): string {
    return hashJson(this.prefix());
  }

  /** The root of the answer as a miner streamed it; undefined before its end. */
  streamRoot(miner: Address): Hex | undefined {
    const stream = this.#miners.get(miner);
    if (stream?.end === undefined) return undefined;
    const { finishReason, promptTokens, outputTokens } = stream.end;
    const all = [...this.#delivered.slice(0, stream.from), ...stream.tokens];
    const text = all.map((token) => token.text).join('') + stream.end.text;
    return resultRoot({ tokens: all.map((token) => token.id), text, finishReason, promptTokens, outputTokens });
  }

  /** A miner's whole stream for a client that waited for the verdict; undefined where it is not whole. */
  whole(miner: Address): { readonly tokens: readonly DeliveredToken[]; readonly end: StreamEnd } | undefined {
    const stream = this.#miners.get(miner);
    if (stream?.end === undefined) return undefined;
    return { tokens: [...this.#delivered.slice(0, stream.from), ...stream.tokens], end: stream.end };
  }
}

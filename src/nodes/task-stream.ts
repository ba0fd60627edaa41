import { hashJson, type Hex } from '../core/hash.ts';
import type { Address } from '../core/ids.ts';
import { resultRoot } from '../core/precommit.ts';
import type { TokenBody } from '../messages/bodies.ts';
import { type ChunkFate, type DeliveredToken, MinerStream, type StreamEnd } from './miner-stream.ts';

/** Told when the client's words go on. */
export type StreamListener = () => void;

/** What the log says that the client had been given when its words went over to a miner. */
export interface DeliveredBefore {
  readonly deliveredTokens: number;
  readonly prefixHash: string;
}

/** What is missing of a miner's stream: the number of the first chunk, in the making it counts in. */
export interface MissingFrom {
  readonly seq: number;
  readonly run: string | undefined;
  /** Whether later chunks have come: then it was lost, else it may not have been sent yet. */
  readonly isLost: boolean;
}

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
  #before: DeliveredBefore | undefined;
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

  /**
   * Makes a miner's words the client's. Words it has already streamed are delivered at once.
   *
   * @param before what clients elsewhere had been given by then: a stream that does not begin with it is not theirs.
   */
  setPrimary(miner: Address | null, before?: DeliveredBefore): void {
    if (this.#primary === miner) return;
    this.#primary = miner;
    this.#before = before;
    this.#deliver();
  }

  /** Takes a chunk, in its turn. Chunks of an older attempt, at a wrong place, or after the end are refused. */
  accept(miner: Address, chunk: TokenBody, nowMs: number): ChunkFate {
    let stream = this.#miners.get(miner);
    if (stream === undefined || stream.isReplacedBy(chunk)) {
      stream = new MinerStream(chunk, nowMs);
      this.#miners.set(miner, stream);
    }
    const fate = stream.accept(chunk, nowMs);
    if (fate === 'taken' && miner === this.#primary) this.#deliver();
    return fate;
  }

  /** What is missing of a miner's answer at an attempt; undefined where that is whole. */
  missing(miner: Address, attempt: number): MissingFrom | undefined {
    const stream = this.#miners.get(miner);
    if (stream?.attempt !== attempt) return { seq: 0, run: undefined, isLost: false };
    return stream.end === undefined ? { seq: stream.nextSeq, run: stream.run, isLost: stream.hasGap } : undefined;
  }

  #deliver(): void {
    const stream = this.#primary === null ? undefined : this.#miners.get(this.#primary);
    if (stream === undefined || this.#end !== undefined || !this.#continues(stream) || !this.#beginsAsBefore(stream))
      return;
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

  /** Whether the primary's stream begins with what clients had been given when it became that, as far as this is new here. */
  #beginsAsBefore({ from, tokens }: MinerStream): boolean {
    if (this.#before === undefined || this.#delivered.length >= this.#before.deliveredTokens) return true;
    const { deliveredTokens, prefixHash } = this.#before;
    const ids = [...this.#delivered.slice(0, from), ...tokens].slice(0, deliveredTokens).map((token) => token.id);
    return ids.length === deliveredTokens && hashJson(ids) === prefixHash;
  }

  /** A live miner whose stream can take over without a new inference: the one that is farthest. */
  successor(live: readonly Address[]): Address | undefined {
    let best: { miner: Address; tokens: number } | undefined;
    for (const miner of live) {
      const stream = this.#miners.get(miner);
      if (miner === this.#primary || stream === undefined || !this.#continues(stream)) continue;
      if (best === undefined || stream.progress > best.tokens) best = { miner, tokens: stream.progress };
    }
    return best?.miner;
  }

  /** When a miner's words last went on in this stream; undefined where it has said nothing. */
  seenAt(miner: Address): number | undefined {
    return this.#miners.get(miner)?.seenAt;
  }

  /** When a miner's words began to come; undefined where it has said nothing. */
  begunAt(miner: Address): number | undefined {
    return this.#miners.get(miner)?.begunAt;
  }

  /** How far a miner's stream has come, in tokens of the answer. */
  progress(miner: Address): number {
    return this.#miners.get(miner)?.progress ?? 0;
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
    const whole = this.whole(miner);
    if (whole === undefined) return undefined;
    const { tokens, end } = whole;
    const { finishReason, promptTokens, outputTokens } = end;
    const text = tokens.map((token) => token.text).join('') + end.text;
    return resultRoot({ tokens: tokens.map((token) => token.id), text, finishReason, promptTokens, outputTokens });
  }

  /** A miner's whole stream for a client that waited for the verdict; undefined where it is not whole. */
  whole(miner: Address): { readonly tokens: readonly DeliveredToken[]; readonly end: StreamEnd } | undefined {
    const stream = this.#miners.get(miner);
    if (stream?.end === undefined || stream.from > this.#delivered.length) return undefined;
    return { tokens: [...this.#delivered.slice(0, stream.from), ...stream.tokens], end: stream.end };
  }
}

import type { FinishReason } from '../../core/precommit.ts';
import type { GenerateEvent, TokenLogprob } from '../../ports/inference.ts';
import type { ChatModel, DecoderState } from './chat-model.ts';
import { Detokenizer } from './detokenizer.ts';
import { scoreTokens } from './logprobs.ts';
import type { GenerateInput } from './messages.ts';
import type { Job } from './round-robin.ts';
import { pickToken } from './sampler.ts';
import { StopMatcher } from './stop-matcher.ts';

/** Where a generation's events go; exactly one of `end` and `fail` is called, once. */
export interface GenerationSink {
  event(event: GenerateEvent): void;
  end(): void;
  fail(error: unknown): void;
}

/**
 * One answer, a token a step: forward pass, pick, turn into text, check for the end. A loop of our own
 * around the model's forward pass rather than the library's `generate`: it can be interleaved with others,
 * stopped between any two tokens, begin from a given prefix and show its logits; and it is faster.
 *
 * A given prefix runs in the same pass as the prompt. Its text was delivered by whoever made it, so it goes
 * through detokeniser and stop matcher silently: what they hold back then is what they held back there.
 */
export class Generation implements Job {
  readonly #model: ChatModel;
  readonly #input: GenerateInput;
  readonly #sink: GenerationSink;
  readonly #tokens: number[];
  readonly #detokenizer: Detokenizer;
  readonly #stops: StopMatcher;
  #promptTokens = 0;
  #prefixText = '';
  #tokensMax = 0;
  #next: readonly number[] | undefined;
  #state: DecoderState | undefined;
  #cancelled = false;

  constructor(model: ChatModel, input: GenerateInput, sink: GenerationSink) {
    this.#model = model;
    this.#input = input;
    this.#sink = sink;
    this.#tokens = [];
    this.#detokenizer = new Detokenizer((ids) => model.decode(ids));
    this.#stops = new StopMatcher(input.stop ?? []);
  }

  /** Ends the answer with `cancelled` before its next token. */
  cancel(): void {
    this.#cancelled = true;
  }

  async step(): Promise<boolean> {
    try {
      const finished = this.#next === undefined ? this.#start() : await this.#advance();
      if (finished === undefined) return false;
      await this.#finish(finished);
    } catch (error) {
      await this.#release();
      this.#sink.fail(error);
    }
    return true;
  }

  /** Reads prompt and prefix; the end of the answer where the prefix is all of it. */
  #start(): FinishReason | undefined {
    const prompt = this.#model.promptIds(this.#input.prompt);
    const prefix = this.#input.prefix ?? [];
    this.#model.checkPrefix(prefix);
    this.#promptTokens = prompt.length;
    this.#tokensMax = Math.min(this.#input.maxTokens, this.#model.contextTokens - prompt.length);
    this.#next = [...prompt, ...prefix];
    const texts: string[] = [];
    const finished = this.#readPrefix(prefix, texts);
    this.#prefixText = texts.join('');
    if (texts.length > 0) this.#sink.event({ type: 'prefix', texts });
    return finished ?? (this.#cancelled ? 'cancelled' : undefined);
  }

  #readPrefix(prefix: readonly number[], texts: string[]): FinishReason | undefined {
    for (const id of prefix) {
      if (this.#model.endIds.has(id)) return 'stop';
      this.#tokens.push(id);
      const { text, stopped } = this.#stops.push(this.#detokenizer.push(id));
      texts.push(text);
      if (stopped) return 'stop';
      if (this.#tokens.length >= this.#tokensMax) return 'length';
    }
    return undefined;
  }

  async #advance(): Promise<FinishReason | undefined> {
    if (this.#cancelled) return 'cancelled';
    const { logits, state } = await this.#model.forward(this.#next ?? [], this.#state);
    this.#state = state;
    if (this.#cancelled) return 'cancelled';
    const index = this.#tokens.length;
    const id = pickToken(logits, this.#input.sampling, index);
    if (this.#model.endIds.has(id)) return 'stop';
    this.#tokens.push(id);
    this.#next = [id];
    const { text, stopped } = this.#stops.push(this.#detokenizer.push(id));
    this.#sink.event({ type: 'token', index, id, text, ...this.#logprobs(logits, id) });
    if (stopped) return 'stop';
    return this.#tokens.length >= this.#tokensMax ? 'length' : undefined;
  }

  #logprobs(logits: Float32Array, chosen: number): { logprob: TokenLogprob; top: readonly TokenLogprob[] } | undefined {
    const count = this.#input.topLogprobs ?? 0;
    if (count === 0) return undefined;
    const scores = scoreTokens(logits, chosen, count);
    const named = ({ id, logprob }: { id: number; logprob: number }): TokenLogprob => ({
      id,
      text: this.#model.tokenText(id),
      logprob,
    });
    return { logprob: named(scores.chosen), top: scores.top.map(named) };
  }

  async #finish(finishReason: FinishReason): Promise<void> {
    await this.#release();
    this.#sink.event({
      type: 'done',
      prefixText: this.#prefixText,
      text: this.#remainingText(),
      finishReason,
      tokens: this.#tokens,
      promptTokens: this.#promptTokens,
      outputTokens: this.#tokens.length,
    });
    this.#sink.end();
  }

  /** What detokeniser and stop matcher still hold; nothing once a stop string was found, since the matcher swallows what follows. */
  #remainingText(): string {
    const { text, stopped } = this.#stops.push(this.#detokenizer.flush());
    return stopped ? text : text + this.#stops.flush();
  }

  async #release(): Promise<void> {
    await this.#state?.cache.dispose();
    this.#state = undefined;
  }
}

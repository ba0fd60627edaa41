import type { Json, JsonObject } from '../../core/json.ts';
import {
  type Answer,
  type AnswerFormat,
  ChunkFormat,
  type ScoredToken,
  shownFinishReason,
  usage,
} from './answer-format.ts';
import type { AnswerHead } from './chat-format.ts';
import { pouwBody } from './pouw-body.ts';
import { dataEvent } from './server-sent-event.ts';

/** `text_completion`, the same object in streams and out of them. https://platform.openai.com/docs/api-reference/completions */
export class CompletionFormat extends ChunkFormat implements AnswerFormat {
  readonly #head: AnswerHead;
  /** Characters of the tokens so far: where the next one stands in the text. */
  #offset = 0;

  constructor(head: AnswerHead) {
    super();
    this.#head = head;
  }

  opening(): string {
    return '';
  }

  piece(text: string, scores: readonly ScoredToken[]): string {
    return dataEvent(this.#object([this.#choice(text, this.#logprobs(scores), null)]));
  }

  closing(answer: Answer): string {
    const choice = this.#choice('', null, shownFinishReason(answer.finishReason));
    const pouw = { x_pouw: pouwBody(answer.view, answer.text) };
    if (!this.#head.includeUsage) return dataEvent({ ...this.#object([choice]), ...pouw });
    const last = { ...this.#object([]), usage: usage(answer.view), ...pouw };
    return dataEvent(this.#object([choice])) + dataEvent(last);
  }

  whole({ text, scores, finishReason, view }: Answer): JsonObject {
    const choice = this.#choice(text, this.#logprobs(scores), shownFinishReason(finishReason));
    return { ...this.#object([choice]), usage: usage(view), x_pouw: pouwBody(view, text) };
  }

  #object(choices: readonly JsonObject[]): JsonObject {
    const { task, created, model } = this.#head;
    return { id: `cmpl-${task.slice(2)}`, object: 'text_completion', created, model, choices };
  }

  #choice(text: string, logprobs: Json, finishReason: string | null): JsonObject {
    return { text, index: 0, logprobs, finish_reason: finishReason };
  }

  #logprobs(scores: readonly ScoredToken[]): Json {
    const shown = this.#head.topLogprobs;
    if (shown === undefined) return null;
    const offsets = scores.map(({ chosen }) => {
      const offset = this.#offset;
      this.#offset += chosen.text.length;
      return offset;
    });
    return {
      tokens: scores.map(({ chosen }) => chosen.text),
      token_logprobs: scores.map(({ chosen }) => chosen.logprob),
      top_logprobs: scores.map(({ top }) =>
        Object.fromEntries(top.slice(0, shown).map(({ text, logprob }) => [text, logprob])),
      ),
      text_offset: offsets,
    };
  }
}

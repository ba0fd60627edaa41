import type { Json, JsonObject } from '../../core/json.ts';
import type { TaskId } from '../../core/ids.ts';
import { pouwBody } from './pouw-body.ts';
import {
  type Answer,
  type AnswerFormat,
  ChunkFormat,
  type ScoredToken,
  scoredTokens,
  shownFinishReason,
  usage,
} from './answer-format.ts';
import { dataEvent } from './server-sent-event.ts';

/** What stays the same over all parts of one answer. */
export interface AnswerHead {
  readonly task: TaskId;
  /** Seconds since 1970. */
  readonly created: number;
  readonly model: string;
  /** Whether a stream ends with a chunk for the usage. */
  readonly includeUsage: boolean;
  /** Alternatives shown per token; undefined where no log-probabilities were asked for. */
  readonly topLogprobs: number | undefined;
}

/** `chat.completion` and `chat.completion.chunk`. https://platform.openai.com/docs/api-reference/chat */
export class ChatFormat extends ChunkFormat implements AnswerFormat {
  readonly #head: AnswerHead;
  /** A chunk around its text: one stringify of a short string per token is all that is left to do. */
  readonly #beforeText: string;
  readonly #afterText = '},"logprobs":null,"finish_reason":null}]}\n\n';

  constructor(head: AnswerHead) {
    super();
    this.#head = head;
    const frame = dataEvent(this.#chunk([])).replace(/\]\}\n\n$/, '');
    this.#beforeText = `${frame}{"index":0,"delta":{"content":`;
  }

  opening(): string {
    return this.#event({ role: 'assistant', content: '' }, null, null);
  }

  piece(text: string, scores: readonly ScoredToken[]): string {
    if (scores.length > 0) return this.#event({ content: text }, this.#logprobs(scores), null);
    return this.#beforeText + JSON.stringify(text) + this.#afterText;
  }

  closing(answer: Answer): string {
    const choice = { index: 0, delta: {}, logprobs: null, finish_reason: shownFinishReason(answer.finishReason) };
    const pouw = { x_pouw: pouwBody(answer.view, answer.text) };
    if (!this.#head.includeUsage) return dataEvent({ ...this.#chunk([choice]), ...pouw });
    const last = { ...this.#chunk([]), usage: usage(answer.view), ...pouw };
    return dataEvent(this.#chunk([choice])) + dataEvent(last);
  }

  whole({ text, scores, finishReason, view }: Answer): JsonObject {
    const { task, created, model } = this.#head;
    const choice = {
      index: 0,
      message: { role: 'assistant', content: text, refusal: null },
      logprobs: this.#logprobs(scores),
      finish_reason: shownFinishReason(finishReason),
    };
    return {
      id: answerId(task),
      object: 'chat.completion',
      created,
      model,
      choices: [choice],
      usage: usage(view),
      x_pouw: pouwBody(view, text),
    };
  }

  #event(delta: JsonObject, logprobs: Json, finishReason: string | null): string {
    return dataEvent(this.#chunk([{ index: 0, delta, logprobs, finish_reason: finishReason }]));
  }

  #chunk(choices: readonly JsonObject[]): JsonObject {
    const { task, created, model } = this.#head;
    return { id: answerId(task), object: 'chat.completion.chunk', created, model, choices };
  }

  #logprobs(scores: readonly ScoredToken[]): Json {
    const shown = this.#head.topLogprobs;
    return shown === undefined ? null : { content: scoredTokens(scores, shown), refusal: null };
  }
}

function answerId(task: TaskId): string {
  return `chatcmpl-${task.slice(2)}`;
}

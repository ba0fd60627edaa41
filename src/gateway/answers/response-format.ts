import type { JsonObject } from '../../core/json.ts';
import type { TaskView } from '../../ports/task-views.ts';
import type { ErrorBody } from '../error-status.ts';
import { type Answer, type AnswerFormat, type ScoredToken, scoredTokens, shownFinishReason } from './answer-format.ts';
import type { AnswerHead } from './chat-format.ts';
import { pouwBody } from './pouw-body.ts';
import { namedEvent } from './server-sent-event.ts';

/** What a response says again of its request. */
export interface ResponseEcho {
  readonly instructions: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly maxOutputTokens: number;
  readonly temperature: number;
  readonly topP: number;
}

/** How far a message has come. */
type ItemStatus = 'in_progress' | 'completed' | 'incomplete';

/** Where in the response all text is: its only message's only part. */
const place = { output_index: 0, content_index: 0 } as const;

/** `response`, and its typed events. https://platform.openai.com/docs/api-reference/responses */
export class ResponseFormat implements AnswerFormat {
  /** The last event says by its name that it is the last. */
  readonly last = '';
  readonly #head: AnswerHead;
  readonly #echo: ResponseEcho;
  readonly #item: string;
  #sequence = 0;
  /** What was streamed so far: a response that fails shows it. */
  #text = '';

  constructor(head: AnswerHead, echo: ResponseEcho) {
    this.#head = head;
    this.#echo = echo;
    this.#item = `msg_${head.task.slice(2)}`;
  }

  opening(): string {
    const response = this.#response('in_progress', []);
    return (
      this.#event('response.created', { response }) +
      this.#event('response.in_progress', { response }) +
      this.#event('response.output_item.added', { output_index: 0, item: this.#message('in_progress', []) }) +
      this.#event('response.content_part.added', { item_id: this.#item, ...place, part: textPart('', []) })
    );
  }

  piece(text: string, scores: readonly ScoredToken[]): string {
    this.#text += text;
    const logprobs = this.#logprobs(scores);
    return this.#event('response.output_text.delta', { item_id: this.#item, ...place, delta: text, logprobs });
  }

  closing(answer: Answer): string {
    const { text } = answer;
    const logprobs = this.#logprobs(answer.scores);
    const { status } = outcome(answer);
    const part = textPart(text, logprobs);
    return (
      this.#event('response.output_text.done', { item_id: this.#item, ...place, text, logprobs }) +
      this.#event('response.content_part.done', { item_id: this.#item, ...place, part }) +
      this.#event('response.output_item.done', { output_index: 0, item: this.#message(status, [part]) }) +
      this.#event(`response.${status}`, { response: this.whole(answer) })
    );
  }

  failed({ error }: ErrorBody): string {
    const output = this.#text === '' ? [] : [this.#message('incomplete', [textPart(this.#text, [])])];
    return this.#event('response.failed', { response: { ...this.#response('failed', output), error } });
  }

  whole(answer: Answer): JsonObject {
    const { text, scores, view } = answer;
    const { status, incomplete_details } = outcome(answer);
    const message = this.#message(status, [textPart(text, this.#logprobs(scores))]);
    return this.#response(status, [message], {
      incomplete_details,
      usage: responseUsage(view),
      x_pouw: pouwBody(view, text),
    });
  }

  #event(type: string, fields: object): string {
    const event = { type, sequence_number: this.#sequence, ...fields };
    this.#sequence += 1;
    return namedEvent(type, event);
  }

  #response(status: ItemStatus | 'failed', output: readonly JsonObject[], known: JsonObject = {}): JsonObject {
    const { task, created, model, topLogprobs } = this.#head;
    const { instructions, metadata, maxOutputTokens, temperature, topP } = this.#echo;
    return {
      id: `resp_${task.slice(2)}`,
      object: 'response',
      created_at: created,
      status,
      error: null,
      incomplete_details: null,
      instructions,
      max_output_tokens: maxOutputTokens,
      metadata,
      model,
      output,
      temperature,
      top_p: topP,
      top_logprobs: topLogprobs ?? 0,
      usage: null,
      // What is the case here whatever was asked for.
      background: false,
      parallel_tool_calls: false,
      previous_response_id: null,
      reasoning: { effort: null, summary: null },
      store: false,
      text: { format: { type: 'text' } },
      tool_choice: 'auto',
      tools: [],
      truncation: 'disabled',
      ...known,
    };
  }

  #message(status: ItemStatus, content: readonly JsonObject[]): JsonObject {
    return { id: this.#item, type: 'message', role: 'assistant', status, content };
  }

  #logprobs(scores: readonly ScoredToken[]): readonly JsonObject[] {
    const shown = this.#head.topLogprobs;
    return shown === undefined ? [] : scoredTokens(scores, shown);
  }
}

function textPart(text: string, logprobs: readonly JsonObject[]): JsonObject {
  return { type: 'output_text', text, annotations: [], logprobs };
}

function outcome({ finishReason }: Answer): {
  readonly status: 'completed' | 'incomplete';
  readonly incomplete_details: JsonObject | null;
} {
  if (shownFinishReason(finishReason) === 'stop') return { status: 'completed', incomplete_details: null };
  return { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } };
}

/** The tokens the task is billed for. Nothing is cached or thought unseen. */
function responseUsage({ promptTokens, outputTokens }: TaskView): JsonObject {
  return {
    input_tokens: promptTokens,
    input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: promptTokens + outputTokens,
  };
}

import type { JsonObject } from '../../core/json.ts';
import type { FinishReason } from '../../core/precommit.ts';
import type { TokenScore } from '../../ports/gateway-network.ts';
import type { TaskView } from '../../ports/task-views.ts';
import type { ErrorBody } from '../error-status.ts';
import { dataEvent, doneEvent } from './server-sent-event.ts';

const utf8 = new TextEncoder();

/** A token with its log-probability and the best alternatives. */
export interface ScoredToken {
  readonly chosen: TokenScore;
  readonly top: readonly TokenScore[];
}

/** A complete answer. */
export interface Answer {
  readonly text: string;
  readonly scores: readonly ScoredToken[];
  readonly finishReason: FinishReason;
  /** The task with its verdict. */
  readonly view: TaskView;
}

/** One of OpenAI's shapes of a generation. Streamed parts come as server-sent events, ready to be written. */
export interface AnswerFormat {
  /** What a stream begins with, before the first token. */
  opening(): string;
  /** A piece of text and the tokens that make it. */
  piece(text: string, scores: readonly ScoredToken[]): string;
  /** Everything after the last piece, once the verdict is known. `answer.text` is what was streamed. */
  closing(answer: Answer): string;
  /** What a stream says in place of its closing when it fails half-way. */
  failed(error: ErrorBody): string;
  /** What ends a stream, whole or not. */
  readonly last: string;
  /** The answer in one object. */
  whole(answer: Answer): JsonObject;
}

/** What all parts of a stream of chunks have in common: its errors, and its end. */
export abstract class ChunkFormat {
  readonly last = doneEvent;

  failed(error: ErrorBody): string {
    return dataEvent(error);
  }
}

/** Tokens with their log-probabilities and the `shown` best alternatives of each. */
export function scoredTokens(scores: readonly ScoredToken[], shown: number): readonly JsonObject[] {
  return scores.map(({ chosen, top }) => ({
    ...scoreBody(chosen),
    top_logprobs: top.slice(0, shown).map(scoreBody),
  }));
}

/** The finish reason as OpenAI's clients know it. */
export function shownFinishReason(reason: FinishReason): 'stop' | 'length' {
  return reason === 'length' ? 'length' : 'stop';
}

/** The tokens the task is billed for. */
export function usage({ promptTokens, outputTokens }: TaskView): JsonObject {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: outputTokens,
    total_tokens: promptTokens + outputTokens,
  };
}

function scoreBody({ text, logprob }: TokenScore): JsonObject {
  return { token: text, logprob, bytes: [...utf8.encode(text)] };
}

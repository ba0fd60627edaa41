import type { JsonObject } from '../../core/json.ts';
import type { FinishReason } from '../../core/precommit.ts';
import type { TokenScore } from '../../ports/gateway-network.ts';
import type { TaskView } from '../../ports/task-views.ts';

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

/** One of OpenAI's two shapes of a generation. Streamed parts come as server-sent events, ready to be written. */
export interface AnswerFormat {
  /** What a stream begins with, before the first token. */
  opening(): string;
  /** A piece of text and the tokens that make it. */
  piece(text: string, scores: readonly ScoredToken[]): string;
  /** Everything after the last piece, once the verdict is known. `answer.text` is what was streamed. */
  closing(answer: Answer): string;
  /** The answer in one object. */
  whole(answer: Answer): JsonObject;
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

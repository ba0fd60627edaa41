import { PouwError } from '../../core/errors.ts';
import type { FinishReason } from '../../core/precommit.ts';
import type { TaskUpdate } from '../../ports/gateway-network.ts';
import { resultUnreadable } from '../../ports/result-unreadable.ts';
import { rejectionError } from '../error-status.ts';
import type { Answer, ScoredToken } from './answer-format.ts';

/** What is to be shown of an update: some text, the scores of the tokens that make it, and the index of the last one. */
export type Shown = (text: string, scores: readonly ScoredToken[], last?: number) => void | Promise<void>;

/**
 * Follows a task to its verdict and gathers the answer; `show` is called with each piece of text as it comes.
 *
 * @throws PouwError the task's failure, `result_unreadable` where its answer cannot be read, or `answer_cut_off` where the
 *   updates end before the task has.
 */
export async function gatherAnswer(updates: AsyncIterable<TaskUpdate>, show: Shown = () => {}): Promise<Answer> {
  let text = '';
  let finishReason: FinishReason | undefined;
  const scores: ScoredToken[] = [];
  let shownScores = 0;
  const showMore = (more: string, last?: number): void | Promise<void> => {
    text += more;
    // A token may complete no text yet: its scores go with the text that it becomes part of.
    const unshown = scores.slice(shownScores);
    if (more === '' && (finishReason === undefined || unshown.length === 0)) return;
    shownScores = scores.length;
    return show(more, unshown, last);
  };
  for await (const update of updates) {
    switch (update.type) {
      case 'state':
        break;
      case 'token': {
        if (update.logprob !== undefined) scores.push({ chosen: update.logprob, top: update.top ?? [] });
        const shown = showMore(update.text, update.index);
        if (shown !== undefined) await shown;
        break;
      }
      case 'done':
        finishReason = update.finishReason;
        await showMore(update.text);
        break;
      case 'verdict':
        // Without its last words an answer is not whole, whatever came before them.
        if (finishReason === undefined) throw resultUnreadable(update.view);
        return { text, scores, finishReason, view: update.view };
      case 'failed':
        throw rejectionError(update.failure);
    }
  }
  throw new PouwError('answer_cut_off', 'The network stopped reporting on the task before it ended.', {
    class: 'unavailable',
    hint: 'Look at the task under GET /v1/tasks/{id}.',
  });
}

import { errorCode, errorMessage, PouwError } from '../../core/errors.ts';
import type { Cid } from '../../core/ids.ts';
import { resultContent } from '../../messages/bodies.ts';
import type { TaskView } from '../../ports/task-views.ts';
import type { NodePorts } from '../ports.ts';

/** What is shown of a task's winning answer. */
export type ShownResult = Pick<TaskView, 'text' | 'finishReason' | 'unreadable'>;

/** Of a task without a winner. */
export const noResult: ShownResult = { text: null, finishReason: null, unreadable: null };

/** How long a result may take to arrive from the content network. */
const resultTimeoutMs = 2_000;

/** The winning answer, or why it cannot be read: that is not the same as an answer without words. */
export async function shownResult(
  { content, log }: Pick<NodePorts, 'content' | 'log'>,
  cid: Cid,
): Promise<ShownResult> {
  try {
    const parsed = resultContent.safeParse(await content.get(cid, { timeoutMs: resultTimeoutMs }));
    if (!parsed.success)
      throw new PouwError('result_malformed', `The content ${cid} is no result of a task.`, { class: 'unavailable' });
    return { text: parsed.data.text, finishReason: parsed.data.finishReason, unreadable: null };
  } catch (error) {
    const code = errorCode(error);
    const reason = errorMessage(error);
    log.warn('a result cannot be read', { cid, code, error: reason });
    return { text: null, finishReason: null, unreadable: { code, reason } };
  }
}

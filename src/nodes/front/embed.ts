import { PouwError } from '../../core/errors.ts';
import { hashJson, type Hex, keccak256 } from '../../core/hash.ts';
import type { TaskId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { decodeVectors } from '../../core/vectors.ts';
import type { EmbedContent } from '../../messages/bodies.ts';
import { resultUnreadable } from '../../ports/result-unreadable.ts';
import type { EmbedRequest, EmbedResult, TaskHandle } from '../../ports/gateway-network.ts';

/** What embedding through the network needs. */
export interface EmbedPorts {
  /** Puts one task into the session's log. */
  submit(
    content: EmbedContent,
    promptTokens: number,
    requestId: Hex | undefined,
    signal: AbortSignal,
  ): Promise<TaskHandle>;
  cancel(task: TaskId, reason: string): Promise<unknown>;
}

/** Special tokens around a text, and between the windows of a long one. */
const tokensAround = 16;

/** No byte-level tokenizer makes more tokens than bytes; long texts are read in windows with tokens of their own. */
function tokenBound(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + 2 * Buffer.byteLength(text) + tokensAround, 0);
}

/**
 * Embeds texts by tasks of the network: computed by k miners, compared by validators, paid by the session.
 * A long list becomes several tasks at once.
 *
 * @throws PouwError what the submission refuses, and the failure of a task.
 */
export async function embedByTasks(
  ports: EmbedPorts,
  request: EmbedRequest,
  signal: AbortSignal,
): Promise<EmbedResult> {
  const parts: string[][] = [];
  for (let from = 0; from < request.texts.length; from += limits.embedTaskInputsMax) {
    parts.push(request.texts.slice(from, from + limits.embedTaskInputsMax));
  }
  // One part without an answer makes the others useless: they are cancelled too.
  const siblings = new AbortController();
  const ends = AbortSignal.any([signal, siblings.signal]);
  const list = parts.length > 1 ? { list: `0x${hashJson([...request.texts])}` as const } : {};
  const running = parts.map((texts, index) => embedPart(ports, { ...request, texts }, { index, ...list }, ends));
  const done = await Promise.all(running).catch((error: unknown) => {
    siblings.abort(error);
    throw error;
  });
  return { vectors: done.flatMap((part) => part.vectors), tokens: done.reduce((sum, part) => sum + part.tokens, 0) };
}

async function embedPart(
  ports: EmbedPorts,
  { model, texts, requestId }: EmbedRequest,
  { index, ...list }: { readonly index: number; readonly list?: Hex },
  signal: AbortSignal,
): Promise<EmbedResult> {
  const content: EmbedContent = { kind: 'embed', v: 1, model, texts: [...texts], ...list };
  const partId = requestId === undefined ? undefined : keccak256(`pouw embedding part\n${requestId}\n${index}`);
  const { task, updates } = await ports.submit(content, tokenBound(texts), partId, signal);
  try {
    for await (const update of updates) {
      if (update.type === 'failed') {
        const { code, message, class: kind } = update.failure;
        throw new PouwError(code, message, { class: kind });
      }
      if (update.type !== 'verdict') continue;
      if (update.view.text === null) throw resultUnreadable(update.view);
      const vectors = decodeVectors(update.view.text, texts.length);
      if (vectors !== undefined) return { vectors, tokens: update.view.promptTokens };
      break;
    }
    throw new PouwError('result_malformed', `The result of task ${task} holds no vectors for its texts.`, {
      class: 'unavailable',
    });
  } catch (error) {
    // Whoever asked is gone and nobody needs the vectors; who named the request may come back for them.
    if (signal.aborted && requestId === undefined)
      await ports.cancel(task, 'the client went away').catch(() => undefined);
    throw error;
  }
}

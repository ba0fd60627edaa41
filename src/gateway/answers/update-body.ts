import type { JsonObject } from '../../core/json.ts';
import type { TaskUpdate } from '../../ports/gateway-network.ts';
import { errorBody, rejectionError } from '../error-status.ts';
import { taskBody } from './pouw-body.ts';

/** A task's update as `GET /v1/tasks/{id}/events` and the WebSocket show it. */
export function updateBody(update: TaskUpdate): JsonObject {
  switch (update.type) {
    case 'state':
      return { type: 'state', state: update.state };
    case 'token': {
      const { index, id, text, logprob, top } = update;
      if (logprob === undefined) return { type: 'token', index, id, text };
      return {
        type: 'token',
        index,
        id,
        text,
        logprob: logprob.logprob,
        top: (top ?? []).map((score) => ({ ...score })),
      };
    }
    case 'done': {
      const { text, finishReason, promptTokens, outputTokens, isWhole } = update;
      return {
        type: 'done',
        text,
        ...(isWhole === undefined ? {} : { whole: true }),
        finish_reason: finishReason,
        prompt_tokens: promptTokens,
        output_tokens: outputTokens,
      };
    }
    case 'verdict':
      return { type: 'verdict', task: taskBody(update.view) };
    case 'failed': {
      const { error } = errorBody(rejectionError(update.failure));
      return { type: 'failed', error: { ...error } as JsonObject, task: taskBody(update.view) };
    }
  }
}

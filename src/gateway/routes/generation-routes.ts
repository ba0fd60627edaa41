import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { TaskHandle } from '../../ports/gateway-network.ts';
import type { AnswerFormat } from '../answers/answer-format.ts';
import { type AnswerHead, ChatFormat } from '../answers/chat-format.ts';
import { CompletionFormat } from '../answers/completion-format.ts';
import { gatherAnswer } from '../answers/gather.ts';
import { ResponseFormat } from '../answers/response-format.ts';
import { withId } from '../answers/server-sent-event.ts';
import { type Edge, exchangeOf, findModel } from '../edge.ts';
import { errorBody, errorStatus, shownError } from '../error-status.ts';
import { EventStream } from '../event-stream.ts';
import { readChatRequest } from '../requests/chat-request.ts';
import { readCompletionRequest } from '../requests/completion-request.ts';
import { readResponsesRequest } from '../requests/responses-request.ts';
import type { WantedGeneration } from '../requests/task-fields.ts';
import { followSubmitted, submitTask } from '../submitted-task.ts';

/** `POST /v1/chat/completions`, `POST /v1/completions` and `POST /v1/responses`: one path, three shapes. */
export function generationRoutes(app: FastifyInstance, edge: Edge): void {
  app.post('/v1/chat/completions', (request, reply) =>
    generate(edge, request, reply, readChatRequest(request.body), (head) => new ChatFormat(head)),
  );
  app.post('/v1/completions', (request, reply) =>
    generate(edge, request, reply, readCompletionRequest(request.body), (head) => new CompletionFormat(head)),
  );
  app.post('/v1/responses', (request, reply) => {
    const { generation, echo } = readResponsesRequest(request.body);
    return generate(edge, request, reply, generation, (head) => new ResponseFormat(head, echo));
  });
}

async function generate(
  edge: Edge,
  request: FastifyRequest,
  reply: FastifyReply,
  wanted: WantedGeneration,
  formatFor: (head: AnswerHead) => AnswerFormat,
): Promise<unknown> {
  const { model } = wanted.task;
  findModel(edge.network, model, 'chat');
  // Without a stream there is nothing to gain from words that come before the verdict.
  const handle = await submitTask(edge, request, wanted.task, wanted.stream ? wanted.delivery : 'verified');
  const { includeUsage, topLogprobs } = wanted;
  const created = Math.floor(handle.submittedAt / 1_000);
  const format = formatFor({ task: handle.task, created, model, includeUsage, topLogprobs });
  if (wanted.stream) return stream(edge, request, reply, handle, format);
  return format.whole(await followSubmitted(edge, request, handle, ({ updates }) => gatherAnswer(updates)));
}

async function stream(
  edge: Edge,
  request: FastifyRequest,
  reply: FastifyReply,
  handle: TaskHandle,
  format: AnswerFormat,
): Promise<FastifyReply> {
  const events = EventStream.open(reply, exchangeOf(request), edge);
  const show = (event: string): void | Promise<void> => (events.write(event) ? undefined : events.drained());
  try {
    const answer = await followSubmitted(edge, request, handle, async ({ updates }) => {
      await show(format.opening());
      return gatherAnswer(updates, (text, scores, last) => {
        edge.watch.words(request);
        return show(withId(format.piece(text, scores), last));
      });
    });
    events.end(format.closing(answer) + format.last);
  } catch (error) {
    const shown = shownError(error);
    if (errorStatus(shown) >= 500 && !exchangeOf(request).clientIsGone) edge.log.failed(request, error);
    events.end(format.failed(errorBody(shown)) + format.last);
  }
  return reply;
}

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { TaskView } from '../../ports/task-views.ts';
import { taskBody } from '../answers/pouw-body.ts';
import { namedEvent } from '../answers/server-sent-event.ts';
import { updateBody } from '../answers/update-body.ts';
import { type Edge, exchangeOf, ownTask } from '../edge.ts';
import { errorBody, errorStatus, shownError } from '../error-status.ts';
import { EventStream } from '../event-stream.ts';

/** The native interface to one task. */
export function taskRoutes(app: FastifyInstance, edge: Edge): void {
  const { network } = edge;
  app.get('/v1/tasks/:task', async (request) => taskBody(await ownTask(request, edge)));
  app.delete('/v1/tasks/:task', async (request) => {
    const { task } = await ownTask(request, edge);
    return taskBody(await network.cancel(task, 'The client asked for it.'));
  });
  app.get('/v1/tasks/:task/events', async (request, reply) => {
    await followTask(edge, request, reply, await ownTask(request, edge));
    return reply;
  });
}

/** A watcher's stream: it sees the task from its beginning, and its leaving changes nothing. */
async function followTask(edge: Edge, request: FastifyRequest, reply: FastifyReply, { task }: TaskView): Promise<void> {
  const exchange = exchangeOf(request);
  const events = EventStream.open(reply, exchange, edge);
  try {
    for await (const update of edge.network.watch(task, exchange.signal)) {
      if (!events.write(namedEvent(update.type, updateBody(update)))) await events.drained();
    }
    events.end('');
  } catch (error) {
    const shown = shownError(error);
    if (errorStatus(shown) >= 500 && !exchange.clientIsGone) edge.log.failed(request, error);
    events.end(namedEvent('error', errorBody(shown)));
  }
}

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { TaskUpdate } from '../../ports/gateway-network.ts';
import { taskBody } from '../answers/pouw-body.ts';
import { namedEvent, withId } from '../answers/server-sent-event.ts';
import { updateBody } from '../answers/update-body.ts';
import { type Edge, exchangeOf, ownTask } from '../edge.ts';
import { errorBody, errorStatus, shownError } from '../error-status.ts';
import { EventStream } from '../event-stream.ts';
import { readWatchFrom } from '../requests/watch-from.ts';

/** The native interface to one task. */
export function taskRoutes(app: FastifyInstance, edge: Edge): void {
  const { network } = edge;
  app.get('/v1/tasks/:task', async (request) => taskBody(await ownTask(request, edge)));
  app.delete('/v1/tasks/:task', async (request) => {
    const { task } = await ownTask(request, edge);
    return taskBody(await network.cancel(task, 'The client asked for it.'));
  });
  app.post('/v1/tasks/:task/appeal', async (request) => {
    const { task } = await ownTask(request, edge);
    return taskBody(await network.appeal(task));
  });
  app.get('/v1/tasks/:task/events', (request, reply) => followAsEvents(edge, request, reply));
}

/**
 * A watcher's stream of server-sent events: it sees the task from its beginning, or after the token it has, and its
 * leaving changes nothing.
 *
 * @throws PouwError `task_not_found`, `invalid_request`.
 */
export async function followAsEvents(edge: Edge, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const from = readWatchFrom(request);
  const { task } = await ownTask(request, edge);
  const exchange = exchangeOf(request);
  const events = EventStream.open(reply, exchange, edge);
  try {
    for await (const update of edge.network.watch(task, exchange.signal, from)) {
      if (!events.write(updateEvent(update))) await events.drained();
    }
    events.end('');
  } catch (error) {
    const shown = shownError(error);
    if (errorStatus(shown) >= 500 && !exchange.clientIsGone) edge.log.failed(request, error);
    events.end(namedEvent('error', errorBody(shown)));
  }
  return reply;
}

/** A token's event has its index as id: where a stream that breaks off is taken up again. */
function updateEvent(update: TaskUpdate): string {
  return withId(namedEvent(update.type, updateBody(update)), update.type === 'token' ? update.index : undefined);
}

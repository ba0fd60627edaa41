import type { FastifyInstance } from 'fastify';
import { sessionBody, taskBody } from '../answers/pouw-body.ts';
import { type Edge, exchangeOf, findModel, ownSession } from '../edge.ts';
import { readDeposit, readPage, readTaskRequest } from '../requests/session-requests.ts';
import { requestIdOf } from '../request-id.ts';
import { submitTask } from '../submitted-task.ts';

/** The native interface to a session and its tasks. */
export function sessionRoutes(app: FastifyInstance, edge: Edge): void {
  const { network } = edge;
  app.get('/v1/sessions', async (request) => {
    const session = await network.session(exchangeOf(request).session);
    return { object: 'list', data: [sessionBody(session)] };
  });
  app.get('/v1/sessions/:session', async (request) => sessionBody(await network.session(ownSession(request))));
  app.post('/v1/sessions/:session/close', async (request) =>
    sessionBody(await network.closeSession(ownSession(request))),
  );
  app.post('/v1/sessions/:session/deposit', async (request) => {
    const session = ownSession(request);
    const requestId = requestIdOf(request.headers, session);
    return sessionBody(await network.deposit(session, readDeposit(request.body), requestId));
  });
  app.get('/v1/sessions/:session/tasks', async (request) => {
    const { tasks, after } = await network.tasks(ownSession(request), readPage(request.query));
    return { object: 'list', data: tasks.map(taskBody), has_more: after !== undefined, after: after ?? null };
  });
  app.post('/v1/sessions/:session/tasks', async (request, reply) => {
    const { terms } = await network.session(ownSession(request));
    const { task, delivery, requestId } = readTaskRequest(request.body, terms.model);
    findModel(network, task.model, 'chat');
    const handle = await submitTask(edge, request, task, delivery, requestId);
    return reply.code(202).send({
      id: handle.task,
      object: 'pouw.task.submitted',
      session: exchangeOf(request).session,
      created: handle.created,
      url: `/v1/tasks/${handle.task}`,
      events_url: `/v1/tasks/${handle.task}/events`,
      stream_url: `/v1/tasks/${handle.task}/stream`,
    });
  });
}

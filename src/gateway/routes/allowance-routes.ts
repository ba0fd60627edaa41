import type { FastifyInstance } from 'fastify';
import type { JsonObject } from '../../core/json.ts';
import type { AllowanceNetwork, RouterAllowance } from '../../ports/allowance-network.ts';
import { ownSession } from '../edge.ts';
import { readAllowance } from '../requests/allowance-request.ts';

/** `POST` and `GET /v1/sessions/{id}/allowances`: what a session's owner lets routers spend. */
export function allowanceRoutes(app: FastifyInstance, allowances: AllowanceNetwork): void {
  app.post('/v1/sessions/:session/allowances', async (request, reply) => {
    const session = ownSession(request);
    const taken = await allowances.allow(session, readAllowance(request.body));
    return reply.code(201).send(grantBody(taken));
  });
  app.get('/v1/sessions/:session/allowances', async (request) => {
    const found = await allowances.allowances(ownSession(request));
    return { object: 'list', data: found.map(grantBody) };
  });
}

function grantBody({ router, owner, leftWei, taskLimitWei, goodUntil, chainAt }: RouterAllowance): JsonObject {
  return {
    object: 'pouw.allowance',
    router,
    owner,
    left_wei: leftWei,
    task_limit_wei: taskLimitWei,
    good_until: Math.floor(goodUntil / 1_000),
    expired: chainAt > goodUntil,
  };
}

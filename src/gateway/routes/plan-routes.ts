import type { FastifyInstance, FastifyRequest } from 'fastify';
import { PouwError } from '../../core/errors.ts';
import { isTaskId } from '../../core/ids.ts';
import type { JsonObject } from '../../core/json.ts';
import type { PlanNetwork, PlanView } from '../../ports/plan-network.ts';
import { taskBody } from '../answers/pouw-body.ts';
import { type Edge, exchangeOf, findModel, pathParam } from '../edge.ts';
import { planIdOf } from '../request-id.ts';
import { readPlanRequest } from '../requests/plan-request.ts';

/** `POST /v1/plans`, `GET` and `DELETE /v1/plans/{id}`: several tasks, some of which come after others. */
export function planRoutes(app: FastifyInstance, { network, watch }: Edge, plans: PlanNetwork): void {
  app.post('/v1/plans', async (request, reply) => {
    const { session, signal } = exchangeOf(request);
    const { terms } = await network.session(session);
    const wanted = readPlanRequest(request.body, terms.model);
    if (wanted.session !== undefined && wanted.session !== session) throw otherSession(wanted.session);
    findModel(network, terms.model, 'chat');
    const plan = planIdOf(request.headers, wanted.requestId, session);
    const asked = { session, steps: wanted.steps, ...(plan === undefined ? {} : { plan }) };
    const { view, created } = await watch.within(request, () => plans.submit(asked, signal));
    return reply.code(created ? 202 : 200).send({ ...planBody(view), created });
  });
  app.get('/v1/plans/:plan', async (request) => planBody(await ownPlan(request, plans)));
  app.delete('/v1/plans/:plan', async (request) => {
    const view = await ownPlan(request, plans);
    return planBody((await plans.cancel(view.plan)) ?? view);
  });
}

/** A plan as native REST shows it. */
function planBody({ plan, session, state, steps, priceWei, escrowWei }: PlanView): JsonObject {
  return {
    id: plan,
    object: 'pouw.plan',
    session,
    state,
    price_wei: priceWei,
    escrow_wei: escrowWei,
    url: `/v1/plans/${plan}`,
    steps: steps.map(({ name, after, isWaiting, task }) => ({
      name,
      after,
      waiting: isWaiting,
      events_url: `/v1/tasks/${task.task}/events`,
      ...taskBody(task),
    })),
  };
}

/** The plan in the path, which must be one of the key's session. @throws PouwError `plan_not_found`. */
async function ownPlan(request: FastifyRequest, plans: PlanNetwork): Promise<PlanView> {
  const id = pathParam(request, 'plan');
  const view = isTaskId(id) ? await plans.plan(id) : undefined;
  if (view !== undefined && view.session === exchangeOf(request).session) return view;
  throw new PouwError('plan_not_found', `This key's session has no plan ${JSON.stringify(id.slice(0, 100))}.`, {
    class: 'not-found',
    hint: 'POST /v1/plans names the plan that it makes.',
  });
}

function otherSession(session: string): PouwError {
  return new PouwError('session_not_found', `This key has no session ${JSON.stringify(session.slice(0, 100))}.`, {
    class: 'not-found',
    hint: 'GET /v1/sessions names the one it has.',
  });
}

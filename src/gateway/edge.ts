import type { FastifyRequest } from 'fastify';
import { assert, present } from '../core/assert.ts';
import { PouwError } from '../core/errors.ts';
import { isSessionId, isTaskId, type SessionId } from '../core/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { GatewayNetwork } from '../ports/gateway-network.ts';
import type { AllowanceNetwork } from '../ports/allowance-network.ts';
import type { PlanNetwork } from '../ports/plan-network.ts';
import type { WalletNetwork } from '../ports/wallet-network.ts';
import type { ModelInfo } from '../ports/inference.ts';
import type { TaskView } from '../ports/task-views.ts';
import type { Exchange } from './exchange.ts';
import type { Exchanges } from './exchanges.ts';
import type { GatewayLimits } from './gateway-limits.ts';
import type { RequestLog } from './request-log.ts';
import type { RequestWatch } from './request-watch.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The admitted request; null before its key is known, and on routes that need none. */
    exchange: Exchange | null;
  }
}

/** What every route works with. */
export interface Edge {
  readonly network: GatewayNetwork;
  /** Plans of several steps; absent where none are taken. */
  readonly plans?: PlanNetwork;
  /** Allowances of sessions' owners; absent where none are taken. */
  readonly allowances?: AllowanceNetwork;
  /** Keys and prompts of those whose wallet is elsewhere; absent where none are taken. */
  readonly wallets?: WalletNetwork;
  readonly clock: Clock;
  readonly limits: GatewayLimits;
  readonly exchanges: Exchanges;
  readonly log: RequestLog;
  readonly watch: RequestWatch;
  /** When the gateway started, seconds since 1970. */
  readonly startedS: number;
}

/** The exchange of a request on a route that asks for a key. */
export function exchangeOf(request: FastifyRequest): Exchange {
  return present(request.exchange, 'the exchange of an admitted request');
}

/** A parameter of the request's path, decoded. */
export function pathParam(request: FastifyRequest, name: string): string {
  const value = (request.params as Readonly<Record<string, unknown>>)[name];
  assert(typeof value === 'string', `the route has no parameter ${name}`);
  return value;
}

/**
 * A live model of the kind a route needs.
 *
 * @throws PouwError `model_not_found` (404), `model_unavailable` (503) for one whose miners are away, `model_kind_mismatch`.
 */
export function findModel(
  network: Pick<GatewayNetwork, 'models' | 'knowsModel'>,
  id: string,
  kind?: ModelInfo['kind'],
): ModelInfo {
  const model = network.models().find((candidate) => candidate.id === id);
  if (model === undefined && network.knowsModel(id)) {
    throw new PouwError('model_unavailable', `No miner of ${JSON.stringify(id)} is heard at the moment.`, {
      class: 'unavailable',
      why: 'They are down, or were not heard for a second and a half.',
      hint: 'Try again in a few seconds.',
      param: 'model',
    });
  }
  if (model === undefined) {
    throw new PouwError('model_not_found', `No live miner serves a model named ${JSON.stringify(id.slice(0, 200))}.`, {
      class: 'not-found',
      hint: 'GET /v1/models lists those that are served.',
      param: 'model',
    });
  }
  if (kind !== undefined && model.kind !== kind) {
    throw new PouwError(
      'model_kind_mismatch',
      `${model.id} is ${article(model.kind)} model, not ${article(kind)} one.`,
      {
        class: 'invalid',
        hint: `Use it with ${model.kind === 'chat' ? '/v1/chat/completions' : '/v1/embeddings'}.`,
        param: 'model',
      },
    );
  }
  return model;
}

/**
 * The session in the path, which must be the key's own: of others one does not learn that they exist.
 *
 * @throws PouwError `session_not_found`.
 */
export function ownSession(request: FastifyRequest): SessionId {
  const id = pathParam(request, 'session');
  if (isSessionId(id) && id === exchangeOf(request).session) return id;
  throw new PouwError('session_not_found', `This key has no session ${JSON.stringify(id.slice(0, 100))}.`, {
    class: 'not-found',
    hint: 'GET /v1/sessions names the one it has.',
  });
}

/**
 * The task in the path, which must be one of the key's session.
 *
 * @throws PouwError `task_not_found`.
 */
export async function ownTask(
  request: FastifyRequest,
  { network, watch }: Pick<Edge, 'network' | 'watch'>,
): Promise<TaskView> {
  const id = pathParam(request, 'task');
  const view = isTaskId(id) ? await network.task(id) : undefined;
  if (view !== undefined && view.session === exchangeOf(request).session) {
    watch.about(request, view.task);
    return view;
  }
  throw new PouwError('task_not_found', `This key's session has no task ${JSON.stringify(id.slice(0, 100))}.`, {
    class: 'not-found',
    hint: 'GET /v1/sessions/{id}/tasks lists those it has.',
  });
}

function article(kind: ModelInfo['kind']): string {
  return kind === 'chat' ? 'a chat' : 'an embedding';
}

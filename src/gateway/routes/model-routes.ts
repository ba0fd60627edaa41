import type { FastifyInstance } from 'fastify';
import type { JsonObject } from '../../core/json.ts';
import type { ModelInfo } from '../../ports/inference.ts';
import { type Edge, findModel, pathParam } from '../edge.ts';

/** `GET /v1/models` and `GET /v1/models/{id}`, where an id may have slashes, encoded or not. */
export function modelRoutes(app: FastifyInstance, { network, startedS }: Edge): void {
  app.get('/v1/models', async () => ({
    object: 'list',
    data: network.models().map((model) => modelBody(model, startedS)),
  }));
  app.get('/v1/models/*', async (request) => modelBody(findModel(network, pathParam(request, '*')), startedS));
}

function modelBody({ id, kind, contextTokens, dimensions, device }: ModelInfo, created: number): JsonObject {
  return {
    id,
    object: 'model',
    created,
    owned_by: 'pouw',
    x_pouw: { kind, context_tokens: contextTokens, dimensions, device },
  };
}

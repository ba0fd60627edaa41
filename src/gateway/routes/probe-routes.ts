import type { FastifyInstance, FastifyReply } from 'fastify';
import { type Probes, readinessAnswer } from '../../ports/probes.ts';

/** `GET /metrics` and `GET /readyz`, for the operator's tools: no key, and nothing secret. */
export function probeRoutes(app: FastifyInstance, probes: Probes): void {
  app.get('/metrics', async (_request, reply) => {
    const text = await probes.metrics.text();
    return operators(reply).type(probes.metrics.contentType).send(text);
  });
  app.get('/readyz', async (_request, reply) => {
    const { status, body } = readinessAnswer(await probes.readiness());
    return operators(reply).code(status).send(body);
  });
}

/** What has no key must not be read by every web page that its operator looks at. */
function operators(reply: FastifyReply): FastifyReply {
  return reply.removeHeader('access-control-allow-origin').header('cache-control', 'no-store');
}

import type { FastifyInstance } from 'fastify';
import { type Edge, exchangeOf, findModel } from '../edge.ts';
import { readEmbeddingsRequest } from '../requests/embeddings-request.ts';
import { requestIdOf } from '../request-id.ts';
import { unsupported } from '../requests/unsupported.ts';

/** `POST /v1/embeddings`. */
export function embeddingRoute(app: FastifyInstance, { network, watch }: Edge): void {
  app.post('/v1/embeddings', async (request) => {
    const { model, texts, encoding, dimensions } = readEmbeddingsRequest(request.body);
    const { dimensions: width } = findModel(network, model, 'embedding');
    if (dimensions !== undefined && dimensions !== width) {
      throw unsupported('dimensions', `${model} makes vectors of ${width} numbers, no others.`);
    }
    const { session, signal } = exchangeOf(request);
    const requestId = requestIdOf(request.headers, session);
    const asked = { session, model, texts, ...(requestId === undefined ? {} : { requestId }) };
    const { vectors, tokens } = await watch.within(request, () => network.embed(asked, signal));
    return {
      object: 'list',
      data: vectors.map((vector, index) => ({
        object: 'embedding',
        index,
        embedding: encoding === 'base64' ? base64Floats(vector) : Array.from(vector),
      })),
      model,
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    };
  });
}

/** Little-endian float32, as OpenAI sends them, on machines of either order. */
function base64Floats(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * Float32Array.BYTES_PER_ELEMENT);
  vector.forEach((value, index) => bytes.writeFloatLE(value, index * Float32Array.BYTES_PER_ELEMENT));
  return bytes.toString('base64');
}

import type { FastifyInstance } from 'fastify';
import { type Edge, exchangeOf, findModel } from '../edge.ts';
import { checkDecoded, readEmbeddingsRequest } from '../requests/embeddings-request.ts';
import { requestIdOf } from '../request-id.ts';
import { unsupported } from '../requests/unsupported.ts';

/** `POST /v1/embeddings`. */
export function embeddingRoute(app: FastifyInstance, { network, watch, limits }: Edge): void {
  app.post('/v1/embeddings', async (request) => {
    const { model, input, encoding, dimensions } = readEmbeddingsRequest(request.body);
    const { dimensions: width } = findModel(network, model, 'embedding');
    if (dimensions !== undefined && dimensions !== width) {
      throw unsupported('dimensions', `${model} makes vectors of ${width} numbers, no others.`);
    }
    // Miners and validators read text: ids are decoded once, here, and what follows is the same for both.
    const texts =
      'texts' in input ? input.texts : checkDecoded(await network.decode(model, input.ids), limits.httpBodyBytesMax);
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

import { errorCode } from '../core/errors.ts';
import type { GenerateRequest, GenerateEvent, Inference } from '../ports/inference.ts';
import type { Metrics } from '../ports/metrics.ts';
import { decorate } from './decorate.ts';

/** What stands for a model that is not loaded: its name is the caller's and may be anything. */
const unknownModel = 'unknown';

/** An engine that measures what it is asked: time, tokens, time to the first one, and how many wait. */
export function meterInference(inference: Inference, metrics: Metrics): Inference {
  const labelOf = (model: string): string => (inference.models().some(({ id }) => id === model) ? model : unknownModel);
  metrics.onCollect(() => {
    const occupancy = inference.occupancy?.();
    if (occupancy === undefined) return;
    metrics.set('pouw_inference_running', {}, occupancy.running);
    metrics.set('pouw_inference_waiting', {}, occupancy.waiting);
  });
  return decorate(inference, {
    generate: (request) => ({
      [Symbol.asyncIterator]: () => measured(inference, request, labelOf(request.model), metrics),
    }),
    embed: async (id, texts, signal) => {
      const model = labelOf(id);
      const seconds = metrics.timer();
      let outcome = 'ok';
      try {
        const embedded = await inference.embed(id, texts, signal);
        metrics.add('pouw_inference_tokens_total', { model, kind: 'prompt' }, embedded.tokens);
        return embedded;
      } catch (error) {
        outcome = signal?.aborted === true ? 'cancelled' : errorCode(error);
        throw error;
      } finally {
        metrics.add('pouw_inference_requests_total', { model, operation: 'embed', outcome });
        metrics.observe('pouw_inference_duration_seconds', { model, operation: 'embed' }, seconds());
      }
    },
  });
}

async function* measured(
  inference: Inference,
  request: GenerateRequest,
  model: string,
  metrics: Metrics,
): AsyncGenerator<GenerateEvent> {
  const seconds = metrics.timer();
  const prefixTokens = request.prefix?.length ?? 0;
  // Whoever stops reading before the end has cancelled.
  let outcome = 'cancelled';
  let made = 0;
  try {
    for await (const event of inference.generate(request)) {
      if (event.type === 'token') {
        if (made === 0) metrics.observe('pouw_inference_first_token_seconds', { model }, seconds());
        made += 1;
      } else if (event.type === 'done') {
        outcome = event.finishReason;
        metrics.add('pouw_inference_tokens_total', { model, kind: 'prompt' }, event.promptTokens);
        made = Math.max(made, event.tokens.length - prefixTokens);
      }
      yield event;
    }
  } catch (error) {
    outcome = errorCode(error);
    throw error;
  } finally {
    metrics.add('pouw_inference_tokens_total', { model, kind: 'output' }, made);
    metrics.add('pouw_inference_requests_total', { model, operation: 'generate', outcome });
    metrics.observe('pouw_inference_duration_seconds', { model, operation: 'generate' }, seconds());
  }
}

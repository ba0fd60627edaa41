import { errorCode } from '../core/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { GenerateEvent, GenerateRequest, Inference } from '../ports/inference.ts';
import type { ActiveSpan, SpanRecord, Tracer } from '../ports/tracer.ts';
import { decorate } from './decorate.ts';

/** An engine whose work for tasks is traced, as a part of the effect it is done for. */
export function traceInference(inference: Inference, tracer: Tracer, clock: Clock): Inference {
  return decorate(inference, {
    generate: (request) => ({
      [Symbol.asyncIterator]() {
        const span = begin(tracer, clock, 'inference generate');
        const events = inference.generate(request);
        return span === undefined ? events[Symbol.asyncIterator]() : traced(events, request, span, clock);
      },
    }),
    embed: async (model, texts, signal) => {
      const span = begin(tracer, clock, 'inference embed');
      if (span === undefined) return inference.embed(model, texts, signal);
      span.note({ 'pouw.model': model, 'pouw.texts': texts.length });
      try {
        const embedded = await inference.embed(model, texts, signal);
        span.note({ 'pouw.tokens.prompt': embedded.tokens });
        span.end();
        return embedded;
      } catch (error) {
        span.end(errorCode(error));
        throw error;
      }
    },
  });
}

interface Begun {
  note(attributes: NonNullable<SpanRecord['attributes']>): void;
  end(error?: string): void;
}

/** Begins a span below the active one; none where that is for no task. */
function begin(tracer: Tracer, clock: Clock, name: string): Begun | undefined {
  const active: ActiveSpan | undefined = tracer.active();
  if (active?.task === undefined) return undefined;
  const { task, id: parent, role = 'unknown', node } = active;
  const startMs = clock.now();
  const attributes: Record<string, string | number | boolean> = {};
  return {
    note: (more) => Object.assign(attributes, more),
    end: (error) =>
      tracer.record({
        task,
        id: tracer.newSpan(),
        parent,
        role,
        ...(node === undefined ? {} : { node }),
        name,
        kind: 'client',
        startMs,
        endMs: clock.now(),
        attributes,
        ...(error === undefined ? {} : { error }),
      }),
  };
}

async function* traced(
  events: AsyncIterable<GenerateEvent>,
  { model, maxTokens }: GenerateRequest,
  span: Begun,
  clock: Clock,
): AsyncGenerator<GenerateEvent> {
  span.note({ 'pouw.model': model, 'pouw.tokens.max': maxTokens });
  const startMs = clock.now();
  // Whoever stops reading before the end has cancelled.
  let error: string | undefined = 'cancelled';
  let isFirst = true;
  try {
    for await (const event of events) {
      if (isFirst && event.type === 'token') span.note({ 'pouw.first_token_ms': clock.now() - startMs });
      if (event.type !== 'prefix') isFirst = false;
      if (event.type === 'done') {
        error = undefined;
        const { finishReason, promptTokens, outputTokens } = event;
        span.note({
          'pouw.finish_reason': finishReason,
          'pouw.tokens.prompt': promptTokens,
          'pouw.tokens.output': outputTokens,
        });
      }
      yield event;
    }
  } catch (thrown) {
    error = errorCode(thrown);
    throw thrown;
  } finally {
    span.end(error);
  }
}

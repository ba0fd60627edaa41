import type { SpanExporter } from '@opentelemetry/sdk-trace';

/** What {@link SpanExporter.export} calls back with for success. */
const success = 0;

/** An exporter that tells when exports begin to fail and when they work again, not of each. */
export function tellOfChanges(
  exporter: SpanExporter,
  tell: (state: 'failing' | 'working', reason: string) => void,
): SpanExporter {
  let isFailing = false;
  return {
    export: (spans, done) => {
      exporter.export(spans, (result) => {
        const failed = (result.code as number) !== success;
        if (failed !== isFailing) {
          isFailing = failed;
          if (failed) tell('failing', result.error?.message ?? 'unknown');
          else tell('working', 'an export succeeded');
        }
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    ...(exporter.forceFlush === undefined ? {} : { forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve() }),
  };
}

import type { OtlpTracer } from '../../adapters/otlp/otlp-tracer.ts';
import type { Log } from '../../ports/log.ts';
import { silentTracer } from '../../ports/tracer.ts';
import { version } from '../version.ts';

/** Where traces go. */
export interface OpenTracerOptions {
  /** The collector; default what the environment says. */
  readonly endpoint?: string | undefined;
  readonly log: Log;
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/**
 * A tracer that exports where a collector is named, here or by `OTEL_EXPORTER_OTLP_ENDPOINT`; else one that records
 * nothing, and then OpenTelemetry is not even loaded.
 */
export async function openTracer(options: OpenTracerOptions): Promise<OtlpTracer> {
  const { endpoint, log, environment = process.env } = options;
  const isNamed = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'].some(
    (name) => (environment[name] ?? '') !== '',
  );
  const isDisabled = environment['OTEL_SDK_DISABLED'] === 'true' || environment['OTEL_TRACES_EXPORTER'] === 'none';
  if (endpoint === undefined && (!isNamed || isDisabled)) return { ...silentTracer, close: async () => {} };
  const { openOtlpTracer } = await import('../../adapters/otlp/otlp-tracer.ts');
  return openOtlpTracer({
    ...(endpoint === undefined ? {} : { endpoint }),
    ratio: ratioOf(environment),
    version,
    onExport: (state, reason) => {
      if (state === 'failing') log.warn('traces are not taken', { reason });
      else log.info('traces are taken again');
    },
  });
}

/** The share of tasks to trace: `OTEL_TRACES_SAMPLER_ARG` where `OTEL_TRACES_SAMPLER` names a sampler by ratio. */
function ratioOf(environment: Readonly<Record<string, string | undefined>>): number {
  const sampler = environment['OTEL_TRACES_SAMPLER'] ?? '';
  if (sampler.endsWith('always_off')) return 0;
  const ratio = Number(environment['OTEL_TRACES_SAMPLER_ARG'] ?? '');
  const isRatio = sampler.endsWith('traceidratio') && environment['OTEL_TRACES_SAMPLER_ARG'] !== undefined;
  return isRatio && ratio >= 0 && ratio <= 1 ? ratio : 1;
}

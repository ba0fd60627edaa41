import { describe, expect, test } from 'vitest';
import type { TaskId } from '../../core/ids.ts';
import { rootSpanOf } from '../../core/trace-ids.ts';
import { silentLog } from '../../ports/log.ts';
import { startOtlpReceiver } from '../../../test/kit/otlp-receiver.ts';
import { openTracer } from './open-tracer.ts';

const task = `0x${'5a'.repeat(32)}` as TaskId;
const span = {
  task,
  id: rootSpanOf(task),
  name: 'task',
  kind: 'internal',
  role: 'router',
  startMs: 1,
  endMs: 2,
} as const;
const endpoint = 'http://127.0.0.1:9';

async function isEnabled(environment: Record<string, string>): Promise<boolean> {
  const tracer = await openTracer({ log: silentLog, environment });
  await tracer.close();
  return tracer.enabled;
}

describe('a tracer', () => {
  test('records only where a collector is named', async () => {
    expect(await isEnabled({})).toBe(false);
    expect(await isEnabled({ OTEL_EXPORTER_OTLP_ENDPOINT: '' })).toBe(false);
    expect(await isEnabled({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint })).toBe(true);
    expect(await isEnabled({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${endpoint}/v1/traces` })).toBe(true);
  });

  test.each([{ OTEL_SDK_DISABLED: 'true' }, { OTEL_TRACES_EXPORTER: 'none' }])(
    'records nothing where the environment says so: %o',
    async (more) => {
      expect(await isEnabled({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, ...more })).toBe(false);
    },
  );

  test.each([
    [{}, 1],
    [{ OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' }, 0],
    [{ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '1' }, 1],
    [{ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: 'many' }, 1],
    [{ OTEL_TRACES_SAMPLER: 'always_off' }, 0],
  ])('traces the share of tasks that %o asks for', async (environment, spans) => {
    const collector = await startOtlpReceiver();
    const tracer = await openTracer({ endpoint: collector.endpoint, log: silentLog, environment });
    tracer.record(span);
    await tracer.close();
    expect(collector.spans).toHaveLength(spans);
    await collector.close();
  });
});

import { expect, test } from 'vitest';
import { openOtlpTracer } from '../../src/adapters/otlp/otlp-tracer.ts';
import { silentTracer } from '../../src/ports/tracer.ts';
import { startOtlpReceiver } from '../kit/otlp-receiver.ts';
import { toldTracerFeatures, tracerFeatures } from './tracer.features.ts';

tracerFeatures('OTLP', async () => {
  const collector = await startOtlpReceiver();
  const tracer = openOtlpTracer({ endpoint: collector.endpoint, version: '1.2.3' });
  return {
    tracer,
    spans: async () => {
      await tracer.close();
      return collector.spans;
    },
    close: async () => {
      await tracer.close();
      await collector.close();
    },
  };
});

toldTracerFeatures('silent', async () => ({ tracer: silentTracer, close: () => Promise.resolve() }));

test('the silent tracer says that nothing is recorded', () => {
  expect(silentTracer.enabled).toBe(false);
});

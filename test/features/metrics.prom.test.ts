import { createPromMetrics, type PromMetrics } from '../../src/adapters/metrics/prom-metrics.ts';
import { type MetricName, silentMetrics } from '../../src/ports/metrics.ts';
import { metricsFeatures, type Sample, toldMetricsFeatures } from './metrics.features.ts';

const nothingToClose = (): Promise<void> => Promise.resolve();

/** The samples of a name in the text that Prometheus reads. */
function samplesOf(text: string, name: string): readonly Sample[] {
  const lines = text.split('\n').filter((line) => line.startsWith(name) && /^[{ ]/.test(line.slice(name.length)));
  return lines.map((line) => {
    const end = line.lastIndexOf(' ');
    const labels = [...line.slice(name.length, end).matchAll(/(\w+)="([^"]*)"/g)];
    const value = Number(line.slice(end));
    return { labels: Object.fromEntries(labels.map(([, label = '', of = '']) => [label, of])), value };
  });
}

async function read(metrics: PromMetrics, name: MetricName): Promise<readonly Sample[]> {
  const text = await metrics.text();
  if (!text.includes(`# TYPE ${name} histogram`)) return samplesOf(text, name);
  const sums = samplesOf(text, `${name}_sum`);
  return samplesOf(text, `${name}_count`).map((sample, index) => ({ ...sample, sum: sums[index]?.value ?? NaN }));
}

metricsFeatures('Prometheus', async () => {
  const metrics = createPromMetrics();
  return { metrics, read: (name) => read(metrics, name), close: nothingToClose };
});

toldMetricsFeatures('silent', async () => ({ metrics: silentMetrics, close: nothingToClose }));

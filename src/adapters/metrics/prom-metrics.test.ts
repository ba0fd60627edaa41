import { describe, expect, test } from 'vitest';
import { limits } from '../../core/limits.ts';
import { createPromMetrics } from './prom-metrics.ts';

/** The samples of a metric in a page of metrics, by their labels. */
async function samples(metrics: { text(): Promise<string> }, name: string): Promise<Record<string, number>> {
  const lines = (await metrics.text())
    .split('\n')
    .filter((line) => line.startsWith(name) && /^[{ ]/.test(line.slice(name.length)));
  return Object.fromEntries(
    lines.map((line) => [line.slice(name.length, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

describe('metrics for Prometheus', () => {
  test('measure into the buckets of the catalogue', async () => {
    const metrics = createPromMetrics();
    metrics.observe('pouw_task_duration_seconds', { outcome: 'settled' }, 0.3);
    expect(await samples(metrics, 'pouw_task_duration_seconds_bucket')).toMatchObject({
      '{le="0.25",outcome="settled"}': 0,
      '{le="0.5",outcome="settled"}': 1,
      '{le="+Inf",outcome="settled"}': 1,
    });
  });

  test('have the metrics of Node beside them, with a type and a meaning each', async () => {
    const page = createPromMetrics();
    expect(page.contentType).toMatch(/^text\/plain; version=0\.0\.4/);
    const text = await page.text();
    for (const name of ['process_resident_memory_bytes', 'nodejs_eventloop_lag_seconds', 'pouw_tasks_settled_total']) {
      expect(text).toMatch(new RegExp(`^# HELP ${name} \\S`, 'm'));
      expect(text).toMatch(new RegExp(`^# TYPE ${name} (counter|gauge|histogram)$`, 'm'));
      expect(text).toMatch(new RegExp(`^${name} \\d`, 'm'));
    }
  });

  test('of two networks of a process are apart', async () => {
    const [one, other] = [createPromMetrics(), createPromMetrics()];
    one.add('pouw_tasks_settled_total', {});
    expect(await samples(one, 'pouw_tasks_settled_total')).toEqual({ '': 1 });
    expect(await samples(other, 'pouw_tasks_settled_total')).toEqual({ '': 0 });
  });

  test('cut a value that is too long', async () => {
    const metrics = createPromMetrics();
    metrics.add('pouw_tasks_failed_total', { code: 'x'.repeat(limits.metricLabelCharsMax) });
    metrics.add('pouw_tasks_failed_total', { code: 'x'.repeat(limits.metricLabelCharsMax + 1) });
    expect(await samples(metrics, 'pouw_tasks_failed_total')).toEqual({
      [`{code="${'x'.repeat(limits.metricLabelCharsMax)}"}`]: 2,
    });
  });

  test('are read once for all who ask at a time', async () => {
    const metrics = createPromMetrics();
    let reads = 0;
    metrics.onCollect(() => void (reads += 1));
    const [one, other] = await Promise.all([metrics.text(), metrics.text()]);
    expect([reads, one === other]).toEqual([1, true]);
  });

  test('are there although a reader fails or never ends', async () => {
    const errors: unknown[] = [];
    const metrics = createPromMetrics({ onError: (error) => errors.push(error) });
    metrics.onCollect(() => Promise.reject(new Error('no store')));
    metrics.onCollect(() => new Promise(() => {}));
    metrics.onCollect(() => metrics.set('pouw_sessions_owned', {}, 4));
    expect(await samples(metrics, 'pouw_sessions_owned')).toEqual({ '': 4 });
    expect(errors.map((error) => (error as Error).message)).toEqual([
      'no store',
      `gauges were not read within ${limits.metricsReadMsMax} ms`,
    ]);
  });

  test('say once for each metric that something could not be recorded, and go on', async () => {
    const errors: unknown[] = [];
    const metrics = createPromMetrics({ onError: (error) => errors.push(error) });
    for (const by of [-1, NaN, 2]) metrics.add('pouw_tasks_settled_total', {}, by);
    metrics.observe('pouw_task_duration_seconds', { outcome: 'settled' }, NaN);
    expect(errors.map((error) => (error as Error).message)).toEqual([
      expect.stringContaining('decrease a counter'),
      expect.stringContaining('NaN'),
    ]);
    expect(await samples(metrics, 'pouw_tasks_settled_total')).toEqual({ '': 2 });
  });
});

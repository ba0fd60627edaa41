import { describe, expect, test } from 'vitest';
import { limits } from '../../core/limits.ts';
import { createPromMetrics, otherValue } from './prom-metrics.ts';

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
  test('count, set and measure under their labels', async () => {
    const metrics = createPromMetrics();
    metrics.add('pouw_tasks_submitted_total', { source: 'router' });
    metrics.add('pouw_tasks_submitted_total', { source: 'router' }, 2);
    metrics.add('pouw_tasks_submitted_total', { source: 'chain' });
    metrics.set('pouw_chain_head_block', {}, 7);
    metrics.observe('pouw_task_duration_seconds', { outcome: 'settled' }, 0.3);
    expect(await samples(metrics, 'pouw_tasks_submitted_total')).toEqual({
      '{source="router"}': 3,
      '{source="chain"}': 1,
    });
    expect(await samples(metrics, 'pouw_chain_head_block')).toEqual({ '': 7 });
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

  test('keep as many values of a label as the bound allows; the rest count together', async () => {
    const metrics = createPromMetrics();
    for (let count = 0; count < limits.metricLabelValuesMax + 3; count += 1) {
      metrics.add('pouw_tasks_refunded_total', { reason: `reason-${count}` });
    }
    metrics.add('pouw_tasks_refunded_total', { reason: 'reason-0' });
    const counted = await samples(metrics, 'pouw_tasks_refunded_total');
    expect(Object.keys(counted)).toHaveLength(limits.metricLabelValuesMax + 1);
    expect(counted[`{reason="${otherValue}"}`]).toBe(3);
    expect(counted['{reason="reason-0"}']).toBe(2);
  });

  test('leave out the gauges beyond the bound, until they are cleared', async () => {
    const metrics = createPromMetrics();
    const set = (state: string): void => metrics.set('pouw_tasks_open', { state }, 1);
    for (let count = 0; count <= limits.metricLabelValuesMax; count += 1) set(`state-${count}`);
    const kept = await samples(metrics, 'pouw_tasks_open');
    expect(Object.keys(kept)).toHaveLength(limits.metricLabelValuesMax);
    expect(kept).not.toHaveProperty([`{state="${otherValue}"}`]);
    metrics.clear('pouw_tasks_open');
    set('late');
    expect(await samples(metrics, 'pouw_tasks_open')).toEqual({ '{state="late"}': 1 });
  });

  test('cut a value that is too long', async () => {
    const metrics = createPromMetrics();
    metrics.add('pouw_tasks_failed_total', { code: 'x'.repeat(limits.metricLabelCharsMax) });
    metrics.add('pouw_tasks_failed_total', { code: 'x'.repeat(limits.metricLabelCharsMax + 1) });
    expect(await samples(metrics, 'pouw_tasks_failed_total')).toEqual({
      [`{code="${'x'.repeat(limits.metricLabelCharsMax)}"}`]: 2,
    });
  });

  test('have gauges set when they are read, by as many readers as there are', async () => {
    const metrics = createPromMetrics();
    let block = 1;
    const forget = metrics.onCollect(async () => metrics.set('pouw_chain_head_block', {}, (block += 1)));
    expect(await samples(metrics, 'pouw_chain_head_block')).toEqual({ '': 2 });
    expect(await samples(metrics, 'pouw_chain_head_block')).toEqual({ '': 3 });
    forget();
    expect(await samples(metrics, 'pouw_chain_head_block')).toEqual({ '': 3 });
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

  test('tell the time that a stopwatch has run', () => {
    const seconds = createPromMetrics().timer();
    const first = seconds();
    expect(first).toBeGreaterThanOrEqual(0);
    expect(seconds()).toBeGreaterThanOrEqual(first);
  });
});

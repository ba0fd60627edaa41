import { describe, expect, test } from 'vitest';
import { createPromMetrics } from '../../src/adapters/metrics/prom-metrics.ts';
import { metricCatalogue } from '../../src/ports/metric-catalogue.ts';
import { trackedText } from '../../scripts/tracked-files.ts';
import { faultsOf, queriesOf } from './dashboard.ts';

const dashboard: unknown = JSON.parse(trackedText('ops/grafana-dashboard.json'));
const queries = queriesOf(dashboard);

describe('the dashboard', () => {
  test('asks only for metrics and labels that there are', async () => {
    const text = await createPromMetrics().text();
    const nodeMetrics = [...text.matchAll(/^# TYPE (\w+) /gm)].map(([, name = '']) => name);
    expect(queries.length).toBeGreaterThan(30);
    expect(queries.flatMap((query) => faultsOf(query, nodeMetrics))).toEqual([]);
  });

  test('shows every metric of the catalogue', () => {
    const shown = queries.map(({ expression }) => expression).join('\n');
    expect(Object.keys(metricCatalogue).filter((name) => !shown.includes(name))).toEqual([]);
  });

  test('has each panel once, on a place of its own', () => {
    const { panels } = dashboard as { panels: { id: number; title: string; gridPos: { x: number; y: number } }[] };
    for (const of of [({ id }: { id: number }) => id, ({ title }: { title: string }) => title]) {
      expect(new Set(panels.map((panel) => String(of(panel)))).size).toBe(panels.length);
    }
    expect(new Set(panels.map(({ gridPos: { x, y } }) => `${x}/${y}`)).size).toBe(panels.length);
  });
});

test.each([
  ['sum(rate(pouw_nothing_total[5m]))', '', /no metric pouw_nothing_total/],
  ['sum(pouw_task_duration_seconds)', '', /no metric pouw_task_duration_seconds/],
  ['sum by (miner) (pouw_tasks_open)', '', /pouw_tasks_open has no label miner/],
  ['pouw_tasks_open{role="router"}', '', /pouw_tasks_open has no label role/],
  ['pouw_tasks_open', '{{role}}', /pouw_tasks_open has no label role/],
  ['nodejs_nothing', '', /no metric nodejs_nothing/],
  ['vector(1)', '', /no metric in/],
])('a dashboard that asks for %s %s is noticed', (expression, legend, fault) => {
  expect(faultsOf({ panel: 'A panel', expression, legend }, ['nodejs_heap_size_used_bytes'])).toEqual([
    expect.stringMatching(fault),
  ]);
});

test('the example for Prometheus scrapes what is served', () => {
  const example = trackedText('ops/prometheus.yml');
  expect(example).toContain('metrics_path: /metrics');
  expect(example).toMatch(/^scrape_configs:$/m);
});

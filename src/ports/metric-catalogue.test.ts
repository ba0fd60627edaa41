import { describe, expect, test } from 'vitest';
import { metricCatalogue, type MetricSpec } from './metric-catalogue.ts';

type Spec = MetricSpec<'counter' | 'gauge' | 'histogram', string>;
const metrics: readonly (readonly [string, Spec])[] = Object.entries(metricCatalogue);

describe.each(metrics)('%s', (name, { kind, help, labels, buckets }) => {
  test('is named as Prometheus wants it, with its unit last', () => {
    expect(name).toMatch(/^pouw_[a-z]+(_[a-z]+)*$/);
    expect(name).not.toMatch(/_(ms|milliseconds|wei|count|sum|bucket)(_|$)/);
    expect(name.endsWith('_total')).toBe(kind === 'counter');
    expect(kind !== 'histogram' || /_(seconds|bytes)$/.test(name)).toBe(true);
  });

  test('says what it means in a sentence', () => {
    expect(help).toMatch(/^[A-Z1][^\n]{15,}\.$/);
  });

  test('has a few labels, each once', () => {
    expect(labels.length).toBeLessThanOrEqual(3);
    expect(new Set(labels).size).toBe(labels.length);
    for (const label of labels) expect(label).toMatch(/^[a-z]+(_[a-z]+)*$/);
  });

  test('has rising buckets where it is a histogram', () => {
    const rising = [...(buckets ?? [])].toSorted((a, b) => a - b);
    expect(buckets ?? []).toEqual(rising);
    expect(rising.length > 0).toBe(kind === 'histogram');
  });
});

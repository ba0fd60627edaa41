import { expect } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import type { MetricName, Metrics } from '../../src/ports/metrics.ts';
import { aMoment, type Disposable, type Feature, testFeatures } from './feature.ts';

/** Metrics that are told something. */
export interface ToldMetricsHarness extends Disposable {
  readonly metrics: Metrics;
}

/** What a metric has under one set of labels. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  /** Of a histogram, how many measurements it took. */
  readonly value: number;
  /** Of a histogram only: its measurements together. */
  readonly sum?: number;
}

/** Fresh metrics, and what is read of them. */
export interface MetricsHarness extends ToldMetricsHarness {
  /** The samples of a metric as they are now, in the order in which their labels were first told. */
  readonly read: (name: MetricName) => Promise<readonly Sample[]>;
}

const others = 3;
const beyond = limits.metricLabelValuesMax + others;

/** What metrics promise to whoever records, also where nothing is kept. */
export const toldMetricsFeatureList: readonly Feature<ToldMetricsHarness>[] = [
  {
    name: 'take whatever is recorded, and nothing of it is an error of who records',
    check: async ({ metrics }) => {
      const labels = { source: '"\n\\\u2028' };
      for (const value of [0, 1.5, -1, NaN, Infinity, -Infinity, Number.MAX_VALUE]) {
        expect(metrics.add('pouw_tasks_submitted_total', labels, value)).toBeUndefined();
        expect(metrics.set('pouw_chain_head_block', {}, value)).toBeUndefined();
        expect(metrics.observe('pouw_task_duration_seconds', { outcome: 'settled' }, value)).toBeUndefined();
      }
      for (const wrong of [{}, { source: undefined }, { other: 'label' }] as unknown as (typeof labels)[])
        expect(metrics.add('pouw_tasks_submitted_total', wrong)).toBeUndefined();
      expect(metrics.clear('pouw_tasks_open')).toBeUndefined();
    },
  },
  {
    name: 'give stopwatches that tell a time that never goes back',
    check: async ({ metrics }) => {
      const seconds = metrics.timer();
      const first = seconds();
      expect(first).toBeGreaterThanOrEqual(0);
      expect(seconds()).toBeGreaterThanOrEqual(first);
    },
  },
  {
    name: 'give back what ends the setting of gauges, as often as it is called',
    check: async ({ metrics }) => {
      const end = metrics.onCollect(() => {});
      end();
      expect(() => end()).not.toThrow();
    },
  },
];

/** What metrics promise. */
export const metricsFeatureList: readonly Feature<MetricsHarness>[] = [
  ...toldMetricsFeatureList,
  {
    name: 'count by one, or by what is told, each set of labels its own',
    check: async ({ metrics, read }) => {
      metrics.add('pouw_tasks_submitted_total', { source: 'router' });
      metrics.add('pouw_tasks_submitted_total', { source: 'router' }, 2);
      metrics.add('pouw_tasks_submitted_total', { source: 'chain' });
      metrics.add('pouw_tasks_settled_total', {}, 4);
      expect(await read('pouw_tasks_submitted_total')).toEqual([
        { labels: { source: 'router' }, value: 3 },
        { labels: { source: 'chain' }, value: 1 },
      ]);
      expect(await read('pouw_tasks_settled_total')).toEqual([{ labels: {}, value: 4 }]);
    },
  },
  {
    name: 'never count down, and neither count nor measure what is no number',
    check: async ({ metrics, read }) => {
      const labels = { outcome: 'settled' };
      metrics.add('pouw_tasks_settled_total', {}, 3);
      metrics.observe('pouw_task_duration_seconds', labels, 2);
      for (const by of [-1, NaN, Infinity]) metrics.add('pouw_tasks_settled_total', {}, by);
      for (const value of [NaN, Infinity]) metrics.observe('pouw_task_duration_seconds', labels, value);
      expect(await read('pouw_task_duration_seconds')).toEqual([{ labels, value: 1, sum: 2 }]);
      expect(await read('pouw_tasks_settled_total')).toEqual([{ labels: {}, value: 3 }]);
    },
  },
  {
    name: 'have what was set last',
    check: async ({ metrics, read }) => {
      for (const value of [7, 9, 8]) metrics.set('pouw_chain_head_block', {}, value);
      expect(await read('pouw_chain_head_block')).toEqual([{ labels: {}, value: 8 }]);
    },
  },
  {
    name: 'have how many measurements a histogram took, and their sum',
    check: async ({ metrics, read }) => {
      for (const value of [0.25, 2.5, 1_000]) metrics.observe('pouw_task_duration_seconds', { outcome: 'a' }, value);
      metrics.observe('pouw_task_duration_seconds', { outcome: 'b' }, 1);
      expect(await read('pouw_task_duration_seconds')).toEqual([
        { labels: { outcome: 'a' }, value: 3, sum: 1_002.75 },
        { labels: { outcome: 'b' }, value: 1, sum: 1 },
      ]);
    },
  },
  {
    name: 'keep as many values of a label as the bound allows; the rest count together',
    check: async ({ metrics, read }) => {
      for (let count = 0; count < beyond; count += 1) {
        metrics.add('pouw_tasks_refunded_total', { reason: `reason-${count}` });
        metrics.observe('pouw_task_duration_seconds', { outcome: `outcome-${count}` }, 1);
      }
      metrics.add('pouw_tasks_refunded_total', { reason: 'reason-0' });
      const counted = await read('pouw_tasks_refunded_total');
      expect(counted).toHaveLength(limits.metricLabelValuesMax + 1);
      expect(counted).toContainEqual({ labels: { reason: 'other' }, value: others });
      expect(counted).toContainEqual({ labels: { reason: 'reason-0' }, value: 2 });
      const measured = await read('pouw_task_duration_seconds');
      expect(measured).toHaveLength(limits.metricLabelValuesMax + 1);
      expect(measured).toContainEqual({ labels: { outcome: 'other' }, value: others, sum: others });
    },
  },
  {
    name: 'leave out the gauges beyond the bound, until they are cleared',
    check: async ({ metrics, read }) => {
      const set = (state: string): void => metrics.set('pouw_tasks_open', { state }, 1);
      for (let count = 0; count < beyond; count += 1) set(`state-${count}`);
      const kept = await read('pouw_tasks_open');
      expect(kept).toHaveLength(limits.metricLabelValuesMax);
      expect(kept.filter(({ labels }) => labels['state'] === 'other')).toEqual([]);
      metrics.clear('pouw_tasks_open');
      expect(await read('pouw_tasks_open')).toEqual([]);
      set('late');
      expect(await read('pouw_tasks_open')).toEqual([{ labels: { state: 'late' }, value: 1 }]);
    },
  },
  {
    name: 'forget the values of the gauge that is cleared, and of no other',
    check: async ({ metrics, read }) => {
      metrics.set('pouw_tasks_open', { state: 'queued' }, 2);
      metrics.set('pouw_sessions_owned', {}, 5);
      metrics.add('pouw_tasks_settled_total', {});
      metrics.clear('pouw_tasks_open');
      expect(await read('pouw_tasks_open')).toEqual([]);
      expect(await read('pouw_sessions_owned')).toEqual([{ labels: {}, value: 5 }]);
      expect(await read('pouw_tasks_settled_total')).toEqual([{ labels: {}, value: 1 }]);
    },
  },
  {
    name: 'have gauges set whenever they are read, by as many as want it, until each ends that',
    check: async ({ metrics, read }) => {
      let block = 1;
      const end = metrics.onCollect(async () => {
        await aMoment(1);
        metrics.set('pouw_chain_head_block', {}, (block += 1));
      });
      metrics.onCollect(() => metrics.set('pouw_sessions_owned', {}, block));
      expect(await read('pouw_chain_head_block')).toEqual([{ labels: {}, value: 2 }]);
      expect(await read('pouw_chain_head_block')).toEqual([{ labels: {}, value: 3 }]);
      end();
      block = 10;
      expect(await read('pouw_chain_head_block')).toEqual([{ labels: {}, value: 3 }]);
      expect(await read('pouw_sessions_owned')).toEqual([{ labels: {}, value: 10 }]);
    },
  },
  {
    name: 'tell the seconds that a stopwatch has run',
    check: async ({ metrics }) => {
      const seconds = metrics.timer();
      await aMoment(50);
      // A timer of the platform may be a little early.
      const ran = seconds();
      expect(ran).toBeGreaterThanOrEqual(0.045);
      expect(ran).toBeLessThan(20);
      expect(metrics.timer()()).toBeLessThan(0.045);
    },
  },
];

/** The contract of the Metrics port. */
export function metricsFeatures(name: string, make: () => Promise<MetricsHarness>): void {
  testFeatures('metrics', name, metricsFeatureList, make);
}

/** The part of it that holds for metrics that keep nothing too. */
export function toldMetricsFeatures(name: string, make: () => Promise<ToldMetricsHarness>): void {
  testFeatures('metrics', name, toldMetricsFeatureList, make);
}

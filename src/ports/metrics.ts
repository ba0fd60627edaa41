import type { metricCatalogue } from './metric-catalogue.ts';

type Catalogue = typeof metricCatalogue;

/** The name of a metric. */
export type MetricName = keyof Catalogue;

/** The names of the metrics of a kind. */
export type MetricNameOf<Kind extends 'counter' | 'gauge' | 'histogram'> = {
  [Name in MetricName]: Catalogue[Name]['kind'] extends Kind ? Name : never;
}[MetricName];

/** The labels of a metric, all of them. */
export type MetricLabels<Name extends MetricName> = Readonly<Record<Catalogue[Name]['labels'][number], string>>;

/**
 * Counts and measures what a process does, under the names of `metricCatalogue`. Recording is cheap, never throws and
 * never waits. A label has at most `limits.metricLabelValuesMax` values: further ones count as `other`, and of a gauge
 * they are left out.
 */
export interface Metrics {
  /** Counts up, by one unless `by` says otherwise. */
  add<Name extends MetricNameOf<'counter'>>(name: Name, labels: MetricLabels<Name>, by?: number): void;
  /** Sets what is measured at a moment. */
  set<Name extends MetricNameOf<'gauge'>>(name: Name, labels: MetricLabels<Name>, value: number): void;
  /** Forgets all values of a gauge, before those that still hold are set anew. */
  clear(name: MetricNameOf<'gauge'>): void;
  /** Takes one measurement into a histogram. */
  observe<Name extends MetricNameOf<'histogram'>>(name: Name, labels: MetricLabels<Name>, value: number): void;
  /** Starts a stopwatch; what it returns tells the seconds since. */
  timer(): () => number;
  /** Has gauges set whenever the metrics are read; the disposer ends that. */
  onCollect(read: () => void | Promise<void>): () => void;
}

/** The metrics as Prometheus reads them. */
export interface MetricsPage {
  readonly contentType: string;
  /** All metrics as they are now. */
  text(): Promise<string>;
}

const nothing = (): void => {};
const noTime = (): number => 0;

/** Records nothing. */
export const silentMetrics: Metrics = {
  add: nothing,
  set: nothing,
  clear: nothing,
  observe: nothing,
  timer: () => noTime,
  onCollect: () => nothing,
};

import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { limits } from '../../core/limits.ts';
import { metricCatalogue } from '../../ports/metric-catalogue.ts';
import type { MetricLabels, MetricName, MetricNameOf, Metrics, MetricsPage } from '../../ports/metrics.ts';
import { processMetrics } from './process-metrics.ts';

/** What {@link createPromMetrics} is made of. */
export interface PromMetricsOptions {
  /**
   * Told of a reader of gauges that failed or was too slow, where the values it set before stand, and of what could not be
   * recorded, the first time for each metric.
   */
  readonly onError?: (error: unknown) => void;
}

/** Metrics for Prometheus. */
export interface PromMetrics extends Metrics, MetricsPage {}

/** What stands for label values beyond the bound. */
export const otherValue = 'other';

/**
 * Metrics by prom-client, in a registry of their own beside that of the process.
 *
 * @example
 * const metrics = createPromMetrics();
 * metrics.add('pouw_tasks_submitted_total', { source: 'router' });
 * console.log(await metrics.text());
 */
export function createPromMetrics(options: PromMetricsOptions = {}): PromMetrics {
  return new Prom(options.onError ?? (() => {}));
}

type Labels = Readonly<Record<string, string>>;
type Kind = 'counter' | 'gauge' | 'histogram';

class Prom implements PromMetrics {
  readonly #counters = new Map<string, Counter>();
  readonly #gauges = new Map<string, Gauge>();
  readonly #histograms = new Map<string, Histogram>();
  /** The values seen of each label of each metric. */
  readonly #seen = new Map<string, Map<string, Set<string>>>();
  readonly #registry = new Registry();
  readonly #pages: Registry;
  /** The metrics that something could not be recorded of. */
  readonly #refused = new Set<MetricName>();
  readonly #readers = new Set<() => void | Promise<void>>();
  readonly #onError: (error: unknown) => void;
  #reading: Promise<string> | undefined;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
    for (const [name, spec] of Object.entries(metricCatalogue)) this.#register(name, spec);
    this.#pages = Registry.merge([processMetrics(), this.#registry]);
  }

  get contentType(): string {
    return this.#pages.contentType;
  }

  add<Name extends MetricNameOf<'counter'>>(name: Name, labels: MetricLabels<Name>, by = 1): void {
    this.#record(name, () => this.#counters.get(name)?.inc(this.#bounded(name, labels).labels, finite(by)));
  }

  set<Name extends MetricNameOf<'gauge'>>(name: Name, labels: MetricLabels<Name>, value: number): void {
    this.#record(name, () => {
      const { labels: bounded, cut } = this.#bounded(name, labels);
      // A sum over what is beyond the bound would be the last one's value only.
      if (!cut) this.#gauges.get(name)?.set(bounded, value);
    });
  }

  clear(name: MetricNameOf<'gauge'>): void {
    this.#gauges.get(name)?.reset();
    this.#seen.delete(name);
  }

  observe<Name extends MetricNameOf<'histogram'>>(name: Name, labels: MetricLabels<Name>, value: number): void {
    this.#record(name, () => this.#histograms.get(name)?.observe(this.#bounded(name, labels).labels, value));
  }

  timer(): () => number {
    const startedAt = performance.now();
    return () => (performance.now() - startedAt) / 1_000;
  }

  onCollect(read: () => void | Promise<void>): () => void {
    this.#readers.add(read);
    return () => this.#readers.delete(read);
  }

  /** Who asks while the metrics are being read gets the same answer: many scrapers cost as much as one. */
  text(): Promise<string> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<string> {
    const reads = Promise.all([...this.#readers].map((read) => this.#readOne(read)));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        this.#onError(new Error(`gauges were not read within ${limits.metricsReadMsMax} ms`));
        resolve();
      }, limits.metricsReadMsMax);
    });
    await Promise.race([reads, late]);
    clearTimeout(timer);
    return this.#pages.metrics();
  }

  async #readOne(read: () => void | Promise<void>): Promise<void> {
    try {
      await read();
    } catch (error) {
      this.#onError(error);
    }
  }

  /** The library throws at a number that is none, a counter that would go down or a label that is not the metric's. */
  #record(name: MetricName, run: () => void): void {
    try {
      run();
    } catch (error) {
      if (this.#refused.has(name)) return;
      this.#refused.add(name);
      this.#onError(error);
    }
  }

  #register(name: string, spec: (typeof metricCatalogue)[MetricName]): void {
    const kind: Kind = spec.kind;
    const common = { name, help: spec.help, labelNames: [...spec.labels], registers: [this.#registry] };
    if (kind === 'counter') this.#counters.set(name, new Counter(common));
    else if (kind === 'gauge') this.#gauges.set(name, new Gauge(common));
    else this.#histograms.set(name, new Histogram({ ...common, buckets: [...(spec.buckets ?? [])] }));
  }

  /** The labels with every value within its bound, and whether one was not. */
  #bounded(name: string, labels: Labels): { readonly labels: Labels; readonly cut: boolean } {
    let bounded: Record<string, string> | undefined;
    let cut = false;
    for (const [label, value] of Object.entries(labels)) {
      const short = value.slice(0, limits.metricLabelCharsMax);
      const fits = this.#fits(name, label, short);
      cut ||= !fits;
      if (fits && short === value) continue;
      bounded ??= { ...labels };
      bounded[label] = fits ? short : otherValue;
    }
    return { labels: bounded ?? labels, cut };
  }

  #fits(name: string, label: string, value: string): boolean {
    let ofMetric = this.#seen.get(name);
    if (ofMetric === undefined) this.#seen.set(name, (ofMetric = new Map<string, Set<string>>()));
    let values = ofMetric.get(label);
    if (values === undefined) ofMetric.set(label, (values = new Set()));
    if (values.has(value)) return true;
    if (values.size >= limits.metricLabelValuesMax) return false;
    values.add(value);
    return true;
  }
}

/** The library takes anything for a counter, which is of no use any more once it took what is no number. */
function finite(value: number): number {
  if (!Number.isFinite(value)) throw new RangeError(`${value} cannot be counted`);
  return value;
}

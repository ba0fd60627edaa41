import { metricCatalogue, type MetricSpec } from '../../src/ports/metric-catalogue.ts';

type Spec = MetricSpec<'counter' | 'gauge' | 'histogram', string>;

/** One query of a dashboard, and the panel it stands in. */
export interface DashboardQuery {
  readonly panel: string;
  readonly expression: string;
  readonly legend: string;
}

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat?: string }[];
}

/** Every query of a Grafana dashboard. */
export function queriesOf(dashboard: unknown): readonly DashboardQuery[] {
  const { panels } = dashboard as { readonly panels: readonly Panel[] };
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, legendFormat = '' }) => ({ panel: title, expression: expr, legend: legendFormat })),
  );
}

/** A metric as a query names it: its samples' name and the labels asked for. */
interface Use {
  readonly name: string;
  readonly labels: readonly string[];
}

const usePattern = /\b((?:pouw|nodejs|process)_[a-z0-9_]+)(?:\{([^}]*)\})?/g;
/** Prometheus adds these by itself. */
const targetLabels = ['instance', 'job', 'le'];

/** What is wrong with a query: a metric that nobody records, or a label that it does not have. */
export function faultsOf({ panel, expression, legend }: DashboardQuery, nodeMetrics: readonly string[]): string[] {
  const uses = [...expression.matchAll(usePattern)].map(([, name = '', matchers = '']): Use => ({
    name,
    labels: [...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
  }));
  if (uses.length === 0) return [`${panel}: no metric in ${expression}`];
  const grouped = [...expression.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/,\s*/));
  const shown = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
  return uses.flatMap(({ name, labels }) => {
    const spec = specOf(name);
    if (spec === undefined) return nodeMetrics.includes(name) ? [] : [`${panel}: there is no metric ${name}`];
    const known: ReadonlySet<string> = new Set([...spec.labels, ...targetLabels]);
    const asked = [...labels, ...grouped, ...shown.filter((label) => !grouped.includes(label))];
    return asked.filter((label) => !known.has(label)).map((label) => `${panel}: ${name} has no label ${label}`);
  });
}

/** The metric that a sample belongs to: a histogram's samples have names of their own. */
function specOf(sample: string): Spec | undefined {
  const catalogue: Readonly<Record<string, Spec>> = metricCatalogue;
  const spec = catalogue[sample];
  if (spec !== undefined) return spec.kind === 'histogram' ? undefined : spec;
  const histogram = catalogue[sample.replace(/_(bucket|sum|count)$/, '')];
  return histogram?.kind === 'histogram' ? histogram : undefined;
}

/** One sample of a page of metrics. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const linePattern = /^([a-z_]\w*)(?:\{(.*)\})? (\S+)$/i;
const labelPattern = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/** Reads Prometheus's text format. */
export function readMetrics(text: string): readonly Sample[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name = '', labels = '', value = ''] = linePattern.exec(line) ?? [];
      if (name === '') throw new Error(`not a sample: ${line}`);
      const pairs = [...labels.matchAll(labelPattern)].map((pair) => [pair[1] ?? '', pair[2] ?? ''] as const);
      return { name, labels: Object.fromEntries(pairs), value: Number(value) };
    });
}

/** The sum of a metric's samples that have these labels, and maybe others. */
export function sumOf(samples: readonly Sample[], name: string, labels: Readonly<Record<string, string>> = {}): number {
  return samples
    .filter((sample) => sample.name === name)
    .filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
    .reduce((sum, { value }) => sum + value, 0);
}

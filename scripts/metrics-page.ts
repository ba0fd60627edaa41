import type { MetricSpec } from '../src/ports/metric-catalogue.ts';

type Catalogue = Readonly<Record<string, MetricSpec<'counter' | 'gauge' | 'histogram', string>>>;

/** `docs/metrics.md`: every metric of the catalogue, area by area, in the catalogue's order. */
export function metricsPage(catalogue: Catalogue, generated: string): string {
  const areas = Map.groupBy(Object.entries(catalogue), ([name]) => areaOf(name));
  return [
    generated,
    '',
    '# Metrics',
    '',
    'What `/metrics` of a process shows. Counters start at 0 with the process; a histogram has `_bucket`, `_sum` and',
    '`_count`; a gauge is what holds at the moment of the scrape. A label has a bounded number of values, in this code and,',
    'where others have a say in them, by `metricLabelValuesMax` in [limits.md](limits.md): further ones count as `other`. No',
    'label carries a session, a task, a key or anybody’s words.',
    '',
    'Beside these stand the usual metrics of a Node.js process under the names that prom-client gives them: `process_…`',
    '(CPU, memory, file descriptors) and `nodejs_…` (event loop, heap, garbage collection).',
    ...[...areas].flatMap(([area, metrics]) => [
      '',
      `## ${areaTitles[area] ?? area}`,
      '',
      '| metric | kind | labels | what it means |',
      '|---|---|---|---|',
      ...metrics.map(([name, { kind, labels, help }]) => {
        const names = labels.map((label) => `\`${label}\``).join(', ');
        return `| \`${name}\` | ${kind} | ${names} | ${help} |`;
      }),
    ]),
    '',
  ].join('\n');
}

/** Areas by the word after `pouw_`; what belongs together has one title. */
const areaTitles: Readonly<Record<string, string>> = {
  process: 'Process',
  commands: 'Commands and requests',
  store: 'Event log',
  effects: 'Effects',
  bus: 'Bus',
  chain: 'Chain',
  inference: 'Inference',
  content: 'Content',
  http: 'Gateway',
  tasks: 'Tasks',
  sessions: 'Sessions, money, reputation, leases',
};

const areaOfWord: Readonly<Record<string, string>> = {
  command: 'commands',
  requests: 'commands',
  request: 'commands',
  log: 'store',
  bucket: 'store',
  effect: 'effects',
  actors: 'effects',
  task: 'tasks',
  miner: 'sessions',
  leases: 'sessions',
  lease: 'sessions',
};

function areaOf(name: string): string {
  const word = name.split('_')[1] ?? name;
  return areaOfWord[word] ?? word;
}

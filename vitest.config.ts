import { join } from 'node:path';
import { defineConfig, type TestProjectConfiguration } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { TotalsReporter, totalsFileVariable } from './scripts/totals-reporter.ts';

/** Where the many processes of the tests find what one of them has compiled: a third less work for all. */
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, '.cache', 'node');

/** Tests that start a chain. */
const chainTests = ['test/features/chain.*.test.ts', 'test/features/*.viem.test.ts'];

/** Tests that start a NATS server. */
const natsTests = ['test/features/nats.*.test.ts', 'test/features/*.nats{,-*}.test.ts'];

const e2e = (...names: string[]): string[] => names.map((name) => `test/e2e/${name}.test.ts`);

/** Tests of networks of a dozen processes. */
const crowdedTests = e2e('cluster', 'cluster-appeal', 'cluster-chaos', 'cluster-first-come', 'cluster-idle', 'compose');

/** Tests that measure what a process takes while others flood it. */
const aloneTests = e2e('cluster-flood', 'pressure');

/** What takes longest: begun first, so that the others run beside it. */
const longest = 'cluster-chaos.test.ts';

/**
 * Groups run one after the other: fast suites first, on all cores; then what starts processes of its own (a chain, a
 * NATS server, a whole network) and waits for them most of the time, three files at a time; then what starts a dozen
 * processes at once, two files at a time; at last, one by one, what has to have the machine for itself.
 */
const groups = {
  parallel: { order: 0, maxWorkers: '100%' },
  waiting: { order: 1, maxWorkers: 3 },
  crowded: { order: 2, maxWorkers: 2 },
  alone: { order: 3, maxWorkers: 1 },
} as const;

/** A vitest project. */
interface Suite {
  readonly name: string;
  readonly include: readonly string[];
  readonly exclude?: readonly string[];
  readonly group: keyof typeof groups;
  /** False where files share a process: their tests keep nothing outside of themselves. */
  readonly isolate?: boolean;
  /** Milliseconds one test, and one hook, may take on a busy machine of two cores. */
  readonly timeoutMs: number;
}

/** Every suite; the tidy test sees to it that each test file is in one of them. */
export const suites: readonly Suite[] = [
  { name: 'tidy', include: ['test/tidy/**/*.test.ts'], group: 'parallel', timeoutMs: 30_000 },
  {
    name: 'unit',
    include: ['{actors,src,scripts,test/actors}/**/*.test.ts'],
    group: 'parallel',
    isolate: false,
    timeoutMs: 30_000,
  },
  {
    name: 'features',
    include: ['test/features/**/*.test.ts'],
    exclude: [...chainTests, ...natsTests],
    group: 'parallel',
    timeoutMs: 30_000,
  },
  { name: 'chain', include: chainTests, group: 'waiting', timeoutMs: 60_000 },
  { name: 'nats', include: natsTests, group: 'waiting', timeoutMs: 60_000 },
  { name: 'sim', include: ['test/sim/**/*.test.ts'], group: 'waiting', timeoutMs: 120_000 },
  {
    name: 'e2e',
    include: ['test/e2e/**/*.test.ts'],
    exclude: [...crowdedTests, ...aloneTests],
    group: 'waiting',
    timeoutMs: 240_000,
  },
  { name: 'crowded', include: crowdedTests, group: 'crowded', timeoutMs: 240_000 },
  { name: 'alone', include: aloneTests, group: 'alone', timeoutMs: 240_000 },
];

function project({ name, include, exclude, group, isolate, timeoutMs }: Suite): TestProjectConfiguration {
  return {
    extends: true,
    test: {
      name,
      include: [...include],
      exclude: ['**/node_modules/**', ...(exclude ?? [])],
      testTimeout: timeoutMs,
      hookTimeout: timeoutMs,
      isolate: isolate ?? true,
      maxWorkers: groups[group].maxWorkers,
      sequence: { groupOrder: groups[group].order },
    },
  };
}

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- a method of vitest's, of that name.
    const sorted = await super.sort(files);
    const rank = ({ moduleId }: TestSpecification): number => (moduleId.endsWith(longest) ? 0 : 1);
    return sorted.toSorted((a, b) => rank(a) - rank(b));
  }
}

const totalsFile = process.env[totalsFileVariable];

export default defineConfig({
  test: {
    reporters: totalsFile === undefined ? ['default'] : ['default', new TotalsReporter(totalsFile)],
    pool: 'forks',
    sequence: { sequencer: LongestFirst },
    allowOnly: false,
    teardownTimeout: 10_000,
    projects: suites.map(project),
  },
});

import { defineConfig, type TestProjectConfiguration } from 'vitest/config';

const chainTests = ['src/adapters/chain/**/*.test.ts', 'test/features/chain.*.test.ts'];
const natsTests = ['test/features/nats.*.test.ts', 'test/features/*.nats.test.ts'];

/**
 * Groups run one after the other: fast suites first, each on all cores; then what starts processes of its own (a
 * chain, a NATS server, a whole network), one file at a time so that its timing is its own.
 */
const groups = { parallel: 0, servers: 1, sim: 2, e2e: 3 } as const;

/** A vitest project. */
interface Suite {
  readonly name: string;
  readonly include: readonly string[];
  readonly exclude?: readonly string[];
  readonly group: keyof typeof groups;
  /** Milliseconds one test, and one hook, may take on a busy machine of two cores. */
  readonly timeoutMs: number;
}

/** Every suite; the tidy test sees to it that each test file is in one of them. */
export const suites: readonly Suite[] = [
  { name: 'tidy', include: ['test/tidy/**/*.test.ts'], group: 'parallel', timeoutMs: 30_000 },
  {
    name: 'unit',
    include: ['{actors,src,scripts,test/actors}/**/*.test.ts'],
    exclude: chainTests,
    group: 'parallel',
    timeoutMs: 30_000,
  },
  {
    name: 'features',
    include: ['test/features/**/*.test.ts'],
    exclude: [...chainTests, ...natsTests],
    group: 'parallel',
    timeoutMs: 30_000,
  },
  { name: 'chain', include: chainTests, group: 'servers', timeoutMs: 60_000 },
  { name: 'nats', include: natsTests, group: 'servers', timeoutMs: 60_000 },
  { name: 'sim', include: ['test/sim/**/*.test.ts'], group: 'sim', timeoutMs: 120_000 },
  { name: 'e2e', include: ['test/e2e/**/*.test.ts'], group: 'e2e', timeoutMs: 240_000 },
];

function project({ name, include, exclude, group, timeoutMs }: Suite): TestProjectConfiguration {
  return {
    extends: true,
    test: {
      name,
      include: [...include],
      exclude: ['**/node_modules/**', ...(exclude ?? [])],
      testTimeout: timeoutMs,
      hookTimeout: timeoutMs,
      maxWorkers: group === 'parallel' ? '100%' : 1,
      sequence: { groupOrder: groups[group] },
    },
  };
}

export default defineConfig({
  test: {
    pool: 'forks',
    allowOnly: false,
    teardownTimeout: 10_000,
    projects: suites.map(project),
  },
});

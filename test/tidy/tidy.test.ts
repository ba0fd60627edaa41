import { matchesGlob } from 'node:path';
import { describe, expect, test } from 'vitest';
import { missingOptionals, type Lockfile } from '../../scripts/lockfile-platforms.ts';
import { repositoryPages } from '../../scripts/repository-pages.ts';
import type { Rule, Violation } from '../../scripts/source-file.ts';
import { trackedPaths, trackedSources, trackedText } from '../../scripts/tracked-files.ts';
import { suites } from '../../vitest.config.ts';
import { noClockOrChance } from './determinism.ts';
import { importsAreDeclared, importsRespectLayers } from './layers.ts';
import { errorCodesAreWrittenOut, noMachineMarks, noSkippedTests, noUnfinishedMarks } from './marks.ts';
import { exportsAreDocumented, filesAreSmall, namesAreKebabCase, noDefaultExports, noDumpFiles } from './shape.ts';

const paths = trackedPaths();
const sources = trackedSources();
const manifest = JSON.parse(trackedText('package.json')) as { dependencies: object; devDependencies: object };

const rules: Readonly<Record<string, Rule>> = {
  'imports only go down the layers': importsRespectLayers,
  'every imported package is declared': importsAreDeclared(manifest),
  'time and chance come through ports': noClockOrChance,
  'files are small': filesAreSmall,
  'exports have names': noDefaultExports,
  'exports are documented': exportsAreDocumented,
  'names are kebab-case': namesAreKebabCase,
  'no file is a dump': noDumpFiles,
  'nothing is left for later': noUnfinishedMarks,
  'error codes are written out': errorCodesAreWrittenOut,
  'no test is skipped': noSkippedTests,
};

const partOfChain = 'types of the Chain port, whose suite is chain.features.ts';
const forTheGateway = 'what the gateway asks of the network: the router and the client implement it, no adapter';
const shared = 'functions that adapters share';

/** The files of `src/ports` that no adapter is held to by a suite of that name, and what they are instead. */
const portsWithoutSuite: Readonly<Record<string, string>> = {
  'allowance-network': forTheGateway,
  'chain-access': partOfChain,
  'chain-allowances': partOfChain,
  'chain-appeals': partOfChain,
  'chain-batches': partOfChain,
  'chain-discipline': partOfChain,
  'chain-market': partOfChain,
  'chain-openings': partOfChain,
  'chain-reputation': partOfChain,
  'chain-reservations': partOfChain,
  'chain-rounds': partOfChain,
  'chain-session-changes': partOfChain,
  'chain-steps': partOfChain,
  'chain-use': partOfChain,
  'gateway-network': forTheGateway,
  'inference-request': shared,
  'job-checks': shared,
  'lease-checks': shared,
  'metric-catalogue': 'the names of metrics',
  'plan-network': forTheGateway,
  'presence-watch': 'the watching that presence boards share',
  probes: 'what a process tells the server of its probes',
  'queue-messages': 'what the chain says of a task: types of the Chain port',
  'result-unreadable': shared,
  sleep: shared,
  'task-views': forTheGateway,
  'wallet-network': forTheGateway,
};

describe('the source', () => {
  test.each(Object.entries(rules))('%s', (_name, rule) => {
    expect(sources.flatMap(rule).map(show)).toEqual([]);
  });
});

describe('the repository', () => {
  test('no file tells which machine or registry it came from', () => {
    const texts = paths.filter((path) => /(^|\/)[^.]*$|\.(js|json|md|npmrc|sol|toml|ts|ya?ml)$/.test(path));
    const files = texts
      .filter((path) => !path.startsWith('models/'))
      .map((path) => ({ path, text: trackedText(path) }));
    expect(files.flatMap(noMachineMarks).map(show)).toEqual([]);
  });

  test('contracts are small', () => {
    const contracts = paths.filter((path) => path.endsWith('.sol')).map((path) => ({ path, text: trackedText(path) }));
    expect(contracts.length).toBeGreaterThan(0);
    expect(contracts.flatMap(filesAreSmall).map(show)).toEqual([]);
  });

  test('every test file runs, in one suite', () => {
    const tests = paths.filter((path) => path.endsWith('.test.ts'));
    const misplaced = tests.filter((path) => suitesOf(path).length !== 1);
    expect(misplaced).toEqual([]);
    expect(suitesOf('test/nowhere/a.test.ts')).toEqual([]);
  });

  test('every port has a suite that its adapters pass', () => {
    const ports = paths.flatMap((path) => /^src\/ports\/([a-z0-9-]+)\.ts$/.exec(path)?.[1] ?? []);
    const missing = ports.filter((port) => !paths.includes(`test/features/${port}.features.ts`));
    expect(missing).toEqual(Object.keys(portsWithoutSuite).toSorted());
  });

  test('the lockfile holds the packages of every platform', () => {
    const lockfile = JSON.parse(trackedText('package-lock.json')) as Lockfile;
    expect(missingOptionals(lockfile), 'run `npm run lock`').toEqual([]);
  });

  test.each(Object.entries(repositoryPages()))('%s says what the code says, no less and no more', (path, page) => {
    expect(trackedText(path), 'run `npm run docs`').toBe(page);
  });
});

/** The names of the suites that run a test file. */
function suitesOf(path: string): string[] {
  const matches = (globs: readonly string[]): boolean => globs.some((glob) => matchesGlob(path, glob));
  return suites.filter(({ include, exclude }) => matches(include) && !matches(exclude ?? [])).map(({ name }) => name);
}

function show({ path, line, message }: Violation): string {
  return `${path}:${line} ${message}`;
}

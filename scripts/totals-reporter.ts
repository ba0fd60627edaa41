import { writeFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';
import type { Outcome } from './test-totals.ts';

/** Lines that are told of each failure; the whole of it stands in the runner's own output. */
export const maxFailureLines = 15;

/** The environment variable with the file that {@link TotalsReporter} writes to. */
export const totalsFileVariable = 'POUW_TEST_TOTALS';

/**
 * Writes what vitest counted and what failed, an {@link Outcome}, as JSON. It tells of what fails outside of tests too: a
 * module that cannot be loaded, a hook of a `describe`, an unhandled rejection. vitest's own JSON report leaves those out.
 */
export class TotalsReporter implements Reporter {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    writeFileSync(this.#file, JSON.stringify(outcomeOf(modules, unhandled)));
  }
}

/** What a run of vitest came to. What fails outside of tests counts as one failure for each error. */
export function outcomeOf(modules: readonly TestModule[], unhandled: readonly SerializedError[]): Outcome {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const failures: string[] = [];
  const fail = (title: string, errors: readonly SerializedError[]): void => {
    failures.push(...errors.map((error) => failure(title, error)));
    counts.failed += errors.length;
  };
  for (const module of modules) {
    const file = module.relativeModuleId;
    fail(file, module.errors());
    for (const suite of module.children.allSuites()) fail(`${file} > ${suite.fullName}`, suite.errors());
    for (const test of module.children.allTests()) {
      const { state, errors } = test.result();
      // A test that never ran, because its run was cut short, is one that did not pass.
      counts[state === 'pending' ? 'failed' : state] += 1;
      if (state !== 'failed') continue;
      failures.push(failure(`${file} > ${test.fullName}`, errors[0] ?? { message: 'It failed without an error.' }));
    }
  }
  fail('outside of all tests', unhandled);
  return { totals: counts, failures };
}

function failure(title: string, { message, diff, stack }: Partial<SerializedError>): string {
  const where = stack?.split('\n').find((line) => /^\s+at .*\.ts:\d+/.test(line) && !line.includes('node_modules'));
  const told = [message, where, diff].filter((part) => typeof part === 'string').join('\n');
  const lines = stripVTControlCharacters(told).split('\n').slice(0, maxFailureLines);
  return [`FAILED ${title}`, ...lines.map((line) => `  ${line}`)].join('\n');
}

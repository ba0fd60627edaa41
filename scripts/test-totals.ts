import { stripVTControlCharacters } from 'node:util';

/** What one test runner counted. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** What a test runner counted, and what failed in it, a block of lines each. */
export interface Outcome {
  readonly totals: Totals;
  readonly failures: readonly string[];
}

/** Adds up what several runners counted. */
export function sumTotals(all: readonly Totals[]): Totals {
  return {
    passed: all.reduce((sum, totals) => sum + totals.passed, 0),
    failed: all.reduce((sum, totals) => sum + totals.failed, 0),
    skipped: all.reduce((sum, totals) => sum + totals.skipped, 0),
  };
}

/** The outcome of a run of vitest, by what its reporter wrote; `undefined` stands for a report that was never written. */
export function vitestOutcome(reportJson: string | undefined, exitCode: number): Outcome {
  if (reportJson === undefined) return { totals: { passed: 0, failed: 1, skipped: 0 }, failures: [] };
  const { totals, failures } = JSON.parse(reportJson) as Outcome;
  return { totals: failedAsAWhole(totals, exitCode), failures };
}

/** The outcome of `forge test`, by what it printed; output without its closing line counts as one failure. */
export function forgeOutcome(output: string, exitCode: number): Outcome {
  const plain = stripVTControlCharacters(output);
  const closing = /(\d+) tests? passed, (\d+) failed, (\d+) skipped \(\d+ total tests?\)/.exec(plain);
  const [passed = 0, failed = 0, skipped = 0] = (closing?.slice(1) ?? []).map(Number);
  // It tells each failure twice.
  const failures = [...new Set(plain.split('\n').filter((line) => line.startsWith('[FAIL')))];
  return { totals: failedAsAWhole({ passed, failed, skipped }, exitCode), failures };
}

/** A runner that ran no test, or that failed without a failing test, counts as one failure. */
function failedAsAWhole(totals: Totals, exitCode: number): Totals {
  const ranNothing = totals.passed + totals.failed === 0;
  const failedSilently = exitCode !== 0 && totals.failed === 0;
  return ranNothing || failedSilently ? { ...totals, failed: totals.failed + 1 } : totals;
}

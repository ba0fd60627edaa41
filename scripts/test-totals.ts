import { stripVTControlCharacters } from 'node:util';

/** What one test runner counted. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The part of vitest's JSON report that is counted. */
interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[];
}

/** Adds up what several runners counted. */
export function sumTotals(all: readonly Totals[]): Totals {
  return {
    passed: all.reduce((sum, totals) => sum + totals.passed, 0),
    failed: all.reduce((sum, totals) => sum + totals.failed, 0),
    skipped: all.reduce((sum, totals) => sum + totals.skipped, 0),
  };
}

/**
 * Counts a vitest JSON report; `undefined` stands for a report that was never written. A file that could not be
 * loaded has no tests and counts as one failure.
 */
export function vitestTotals(reportJson: string | undefined, exitCode: number): Totals {
  if (reportJson === undefined) return { passed: 0, failed: 1, skipped: 0 };
  const report = JSON.parse(reportJson) as VitestReport;
  const unloaded = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
  const counted = {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloaded.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
  return failedAsAWhole(counted, exitCode);
}

/** Counts what `forge test` printed; output without its closing line counts as one failure. */
export function forgeTotals(output: string, exitCode: number): Totals {
  const plain = stripVTControlCharacters(output);
  const closing = /(\d+) tests? passed, (\d+) failed, (\d+) skipped \(\d+ total tests?\)/.exec(plain);
  const [passed, failed, skipped] = (closing?.slice(1) ?? ['0', '0', '0']).map(Number);
  return failedAsAWhole({ passed: passed ?? 0, failed: failed ?? 0, skipped: skipped ?? 0 }, exitCode);
}

/** A runner that ran no test, or that failed without a failing test, counts as one failure. */
function failedAsAWhole(totals: Totals, exitCode: number): Totals {
  const ranNothing = totals.passed + totals.failed === 0;
  const failedSilently = exitCode !== 0 && totals.failed === 0;
  return ranNothing || failedSilently ? { ...totals, failed: totals.failed + 1 } : totals;
}

import { stripVTControlCharacters } from 'node:util';

/** What one test runner counted. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The part of vitest's JSON report that is counted and told. */
interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

/** Lines that are told of each failure; the whole of it stands in the runner's own output. */
export const maxFailureLines = 15;

/** Adds up what several runners counted. */
export function sumTotals(all: readonly Totals[]): Totals {
  return {
    passed: all.reduce((sum, totals) => sum + totals.passed, 0),
    failed: all.reduce((sum, totals) => sum + totals.failed, 0),
    skipped: all.reduce((sum, totals) => sum + totals.skipped, 0),
  };
}

/**
 * Counts a vitest JSON report; `undefined` stands for a report that was never written. A file that failed although
 * none of its tests did, because it could not be loaded or made ready, counts as one failure.
 */
export function vitestTotals(reportJson: string | undefined, exitCode: number): Totals {
  if (reportJson === undefined) return { passed: 0, failed: 1, skipped: 0 };
  const report = JSON.parse(reportJson) as VitestReport;
  const unloaded = report.testResults.filter(failedByItself);
  const counted = {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloaded.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
  return failedAsAWhole(counted, exitCode);
}

function failedByItself({ status, assertionResults }: VitestReport['testResults'][number]): boolean {
  return status === 'failed' && !assertionResults.some((test) => test.status === 'failed');
}

/** What failed of a vitest JSON report, a block of lines each; none where the report was never written. */
export function vitestFailures(reportJson: string | undefined): string[] {
  if (reportJson === undefined) return [];
  return (JSON.parse(reportJson) as VitestReport).testResults.flatMap((file) => {
    const { name, message, assertionResults } = file;
    if (failedByItself(file)) return [failure(name, message)];
    const failed = assertionResults.filter((test) => test.status === 'failed');
    return failed.map((test) => failure(`${name} > ${test.fullName}`, (test.failureMessages ?? []).join('\n')));
  });
}

/** What failed of the output of `forge test`: the lines that it marks, each once. */
export function forgeFailures(output: string): string[] {
  const lines = stripVTControlCharacters(output).split('\n');
  return [...new Set(lines.filter((line) => line.startsWith('[FAIL')))];
}

function failure(title: string, message: string): string {
  const lines = stripVTControlCharacters(message).split('\n').slice(0, maxFailureLines);
  return [`FAILED ${title}`, ...lines.map((line) => `  ${line}`)].join('\n');
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

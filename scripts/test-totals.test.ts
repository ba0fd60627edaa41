import { describe, expect, test } from 'vitest';
import { forgeFailures, forgeTotals, maxFailureLines, sumTotals, vitestFailures, vitestTotals } from './test-totals.ts';

const nothing = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [] };

describe('vitest totals', () => {
  test('counts passed, failed and skipped tests', () => {
    const report = { ...nothing, numPassedTests: 5, numFailedTests: 2, numPendingTests: 1, numTodoTests: 1 };
    expect(vitestTotals(JSON.stringify(report), 1)).toEqual({ passed: 5, failed: 2, skipped: 2 });
  });

  test('counts a file that does not load as a failure', () => {
    const testResults = [{ status: 'failed', assertionResults: [] }];
    const report = { ...nothing, numPassedTests: 5, testResults };
    expect(vitestTotals(JSON.stringify(report), 1)).toEqual({ passed: 5, failed: 1, skipped: 0 });
  });

  test('counts a file that failed before its tests ran as a failure, and one whose tests failed by those', () => {
    const unready = { status: 'failed', assertionResults: [{ status: 'skipped' }] };
    const broken = { status: 'failed', assertionResults: [{ status: 'passed' }, { status: 'failed' }] };
    const report = { ...nothing, numPassedTests: 5, numFailedTests: 1, testResults: [unready, broken] };
    expect(vitestTotals(JSON.stringify(report), 1)).toEqual({ passed: 5, failed: 2, skipped: 0 });
  });

  test('counts a run without a test, a crash without a report and an error outside tests as failures', () => {
    expect(vitestTotals(JSON.stringify(nothing), 0).failed).toBe(1);
    expect(vitestTotals(undefined, 0).failed).toBe(1);
    expect(vitestTotals(JSON.stringify({ ...nothing, numPassedTests: 5 }), 1).failed).toBe(1);
  });
});

describe('forge totals', () => {
  test('counts its closing line, in colour or not', () => {
    const closing = 'Ran 3 test suites in 1.2s (2.1s CPU time): 41 tests passed, 1 failed, 2 skipped (44 total tests)';
    expect(forgeTotals(closing, 1)).toEqual({ passed: 41, failed: 1, skipped: 2 });
    const coloured = closing.replace('41', '\u001B[32m41\u001B[0m');
    expect(forgeTotals(coloured, 1)).toEqual({ passed: 41, failed: 1, skipped: 2 });
  });

  test('counts a build error, and a run without a test, as a failure', () => {
    expect(forgeTotals('Error: Compilation failed', 1).failed).toBe(1);
    expect(forgeTotals('No tests found in project!', 0).failed).toBe(1);
  });
});

describe('what failed', () => {
  test('is told by file, test and the first lines of its message', () => {
    const long = Array.from({ length: maxFailureLines + 1 }, (_, index) => `line ${index}`).join('\n');
    const testResults = [
      { name: 'broken.test.ts', status: 'failed', message: 'no such module', assertionResults: [] },
      {
        name: 'some.test.ts',
        status: 'failed',
        message: '',
        assertionResults: [
          { status: 'passed', fullName: 'is fine' },
          { status: 'failed', fullName: 'is not', failureMessages: [`\u001B[31m${long}`] },
        ],
      },
    ];
    const [unloaded, failed, ...others] = vitestFailures(JSON.stringify({ ...nothing, testResults }));
    expect(unloaded).toBe('FAILED broken.test.ts\n  no such module');
    expect(failed!.split('\n')).toHaveLength(1 + maxFailureLines);
    expect(failed).toMatch(/^FAILED some\.test\.ts > is not\n {2}line 0\n/);
    expect(others).toEqual([]);
    expect(vitestFailures(undefined)).toEqual([]);
  });

  test('of forge is told once, though forge tells it twice', () => {
    const line = '[FAIL: no money] test_pays() (gas: 12)';
    expect(forgeFailures(`[PASS] test_is()\n${line}\n\nFailing tests:\n${line}\n`)).toEqual([line]);
  });
});

test('totals of several runners add up', () => {
  const one = { passed: 1, failed: 2, skipped: 3 };
  expect(sumTotals([one, one])).toEqual({ passed: 2, failed: 4, skipped: 6 });
});

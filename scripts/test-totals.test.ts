import { describe, expect, test } from 'vitest';
import { forgeOutcome, type Outcome, sumTotals, vitestOutcome } from './test-totals.ts';

describe('the outcome of vitest', () => {
  const report: Outcome = { totals: { passed: 5, failed: 2, skipped: 2 }, failures: ['FAILED a', 'FAILED b'] };

  test('is what its reporter wrote', () => {
    expect(vitestOutcome(JSON.stringify(report), 1)).toEqual(report);
  });

  test('counts a run without a test, a crash without a report and an exit that is not explained as failures', () => {
    const nothing = { totals: { passed: 0, failed: 0, skipped: 0 }, failures: [] };
    expect(vitestOutcome(JSON.stringify(nothing), 0).totals.failed).toBe(1);
    expect(vitestOutcome(undefined, 0).totals.failed).toBe(1);
    const fine = { totals: { passed: 5, failed: 0, skipped: 0 }, failures: [] };
    expect(vitestOutcome(JSON.stringify(fine), 1).totals.failed).toBe(1);
    expect(vitestOutcome(JSON.stringify(fine), 0)).toEqual(fine);
  });
});

describe('the outcome of forge', () => {
  test('counts its closing line, in colour or not', () => {
    const closing = 'Ran 3 test suites in 1.2s (2.1s CPU time): 41 tests passed, 1 failed, 2 skipped (44 total tests)';
    expect(forgeOutcome(closing, 1).totals).toEqual({ passed: 41, failed: 1, skipped: 2 });
    const coloured = closing.replace('41', '\u001B[32m41\u001B[0m');
    expect(forgeOutcome(coloured, 1).totals).toEqual({ passed: 41, failed: 1, skipped: 2 });
  });

  test('counts a build error, and a run without a test, as a failure', () => {
    expect(forgeOutcome('Error: Compilation failed', 1).totals.failed).toBe(1);
    expect(forgeOutcome('No tests found in project!', 0).totals.failed).toBe(1);
  });

  test('tells each failure once, though forge tells it twice', () => {
    const line = '[FAIL: no money] test_pays() (gas: 12)';
    const { failures } = forgeOutcome(`[PASS] test_is()\n${line}\n\nFailing tests:\n${line}\n`, 1);
    expect(failures).toEqual([line]);
  });
});

test('totals of several runners add up', () => {
  const one = { passed: 1, failed: 2, skipped: 3 };
  expect(sumTotals([one, one])).toEqual({ passed: 2, failed: 4, skipped: 6 });
});

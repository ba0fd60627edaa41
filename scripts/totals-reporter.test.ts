import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startVitest } from 'vitest/node';
import type { Outcome } from './test-totals.ts';
import { maxFailureLines, TotalsReporter } from './totals-reporter.ts';

const folder = mkdtempSync(join(tmpdir(), 'pouw-reporter-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Files of tests, each of which fails in a way of its own. */
const files: Readonly<Record<string, string>> = {
  'fine.test.js': `test('is fine', () => {}); test.skip('is left out', () => {});`,
  'some.test.js': `
    const lines = Array.from({ length: ${maxFailureLines + 1} }, (_, index) => 'line ' + index).join('\\n');
    test('is not', () => { throw new Error(lines); });`,
  'unloaded.test.js': `import './nowhere.js';`,
  'unready.test.js': `beforeAll(() => { throw new Error('no network'); }); test('is never run', () => {});`,
  'unready-part.test.js': `
    describe('a part', () => {
      beforeAll(() => { throw new Error('no chain'); });
      test('is never run either', () => {});
    });`,
  'unhandled.test.js': `
    test('leaves a rejection behind', async () => {
      void Promise.reject(new Error('nobody waits for this'));
      await new Promise((resolve) => setTimeout(resolve, 50));
    });`,
};

let outcome: Outcome;
beforeAll(async () => {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const file = join(folder, 'totals.json');
  const exitCode = process.exitCode;
  const run = await startVitest([], {
    root: folder,
    config: false,
    watch: false,
    globals: true,
    reporters: [new TotalsReporter(file)],
  });
  await run.close();
  process.exitCode = exitCode;
  outcome = JSON.parse(readFileSync(file, 'utf8')) as Outcome;
});

test('what passed, failed and was skipped is counted, and what failed outside of a test is a failure too', () => {
  expect(outcome.totals).toEqual({ passed: 2, failed: 5, skipped: 3 });
  expect(outcome.failures).toHaveLength(5);
});

test('a failure is told by file, test and the first lines of its message', () => {
  const told = outcome.failures.find((failure) => failure.startsWith('FAILED some.test.js > is not\n  line 0\n'));
  expect(told?.split('\n')).toHaveLength(1 + maxFailureLines);
});

test('what fails outside of a test is told with its reason', () => {
  const told = (start: string): string => outcome.failures.find((failure) => failure.startsWith(start)) ?? '';
  expect(told('FAILED unloaded.test.js\n')).toContain('nowhere.js');
  expect(told('FAILED unready.test.js\n')).toContain('no network');
  expect(told('FAILED unready-part.test.js > a part\n')).toContain('no chain');
  expect(told('FAILED outside of all tests\n')).toContain('nobody waits for this');
});

/**
 * `npm test`: every suite of the project, vitest's and forge's. The last line of its output is the sum,
 * `N passed, N failed`, and what failed is told once more before it; the exit code is 1 where a test failed or a runner
 * ran none. Arguments go to vitest, and forge then stays out: `npm test -- src/core`. A NATS server is fetched before,
 * where the machine has none.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { foundryBinary } from '../src/adapters/chain/foundry-binary.ts';
import { findNatsServer } from '../src/adapters/nats/server/find-server.ts';
import { defaultCacheFolder } from '../src/cli/cache-folder.ts';
import { errorMessage, PouwError } from '../src/core/errors.ts';
import { installed, runProgram } from './run-program.ts';
import { forgeOutcome, type Outcome, sumTotals, vitestOutcome } from './test-totals.ts';
import { totalsFileVariable } from './totals-reporter.ts';

async function runVitest(args: readonly string[]): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'pouw-test-'));
  const report = join(folder, 'vitest.json');
  process.env[totalsFileVariable] = report;
  try {
    const { exitCode } = await runProgram(process.execPath, [installed.vitest, 'run', ...args]);
    return vitestOutcome(existsSync(report) ? readFileSync(report, 'utf8') : undefined, exitCode);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * Runs both side by side; what forge printed comes after vitest's output. Forge only computes, so it gives way: the
 * processes that vitest's suites start keep deadlines.
 */
async function runBoth(): Promise<Outcome[]> {
  const [vitest, forge] = await Promise.all([
    runVitest([]),
    runProgram(foundryBinary('forge'), ['test'], 'background'),
  ]);
  process.stdout.write(forge.output);
  return [vitest, forgeOutcome(forge.output, forge.exitCode)];
}

/** Fetches the server once, before many tests want it at a time. Where none can be had, those tests fail and say so. */
async function prepareNats(): Promise<void> {
  try {
    await findNatsServer({ cacheFolder: defaultCacheFolder(), onProgress: (what) => console.log(what) });
  } catch (error) {
    console.error(error instanceof PouwError ? error.explain() : errorMessage(error));
  }
}

await prepareNats();
const args = process.argv.slice(2);
const outcomes = args.length > 0 ? [await runVitest(args)] : await runBoth();
const totals = sumTotals(outcomes.map((outcome) => outcome.totals));
for (const failure of outcomes.flatMap((outcome) => outcome.failures)) console.log(failure);
if (totals.skipped > 0) console.log(`${totals.skipped} skipped`);
console.log(`${totals.passed} passed, ${totals.failed} failed`);
process.exitCode = totals.failed > 0 ? 1 : 0;

/**
 * `npm run coverage:contracts`: which lines and branches of `contracts/src` the unit and fuzz tests do not reach. The exit
 * code is 1 where there is one. Coverage compiles without the optimiser, into folders of its own, so that the build stays.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { foundryBinary } from '../src/adapters/chain/foundry-binary.ts';
import { readCoverage } from './coverage-report.ts';
import { root, runProgram } from './run-program.ts';

const folder = join(root, 'contracts/cache/coverage');
const report = join(folder, 'lcov.info');
mkdirSync(folder, { recursive: true });
process.env['FOUNDRY_OUT'] = join(folder, 'out');
process.env['FOUNDRY_CACHE_PATH'] = join(folder, 'cache');
// A few random inputs reach what there is; the bounds are tests of their own.
process.env['FOUNDRY_FUZZ_RUNS'] = '16';
const { exitCode, output } = await runProgram(
  foundryBinary('forge'),
  [
    'coverage',
    '--gas-snapshot-check',
    'false',
    '--match-path',
    'contracts/test/{unit,fuzz}/*',
    '--report',
    'lcov',
    '--report-file',
    report,
  ],
  'quiet',
);
if (exitCode !== 0) {
  console.log(output);
  process.exitCode = 1;
} else {
  const { lines, branches, uncovered } = readCoverage(readFileSync(report, 'utf8'), 'contracts/src/');
  for (const { file, lines: missed, branches: untaken } of uncovered) {
    console.log(
      `${file}: lines never run: ${missed.join(', ') || 'none'}; branches never taken at: ${untaken.join(', ') || 'none'}`,
    );
  }
  const missedLines = uncovered.reduce((sum, one) => sum + one.lines.length, 0);
  const missedBranches = uncovered.reduce((sum, one) => sum + one.branches.length, 0);
  console.log(`lines ${lines - missedLines}/${lines}, branches ${branches - missedBranches}/${branches}`);
  process.exitCode = lines > 0 && uncovered.length === 0 ? 0 : 1;
}

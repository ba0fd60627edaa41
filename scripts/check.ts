/** `npm run check`: everything that is checked without running the program. The exit code is 1 where a check failed. */
import { installed, runProgram } from './run-program.ts';

const checks: Readonly<Record<string, readonly string[]>> = {
  types: [installed.tsc, '-p', '.'],
  lint: [installed.oxlint],
  format: [installed.oxfmt, '--check', '.'],
  tidy: [installed.vitest, 'run', '--project', 'tidy'],
  'solidity format': [installed.forge, 'fmt', '--check'],
  'contract bindings': ['scripts/build-contracts.ts', '--check'],
  diagrams: ['scripts/diagrams.ts', '--check'],
};

let failed = 0;
for (const [name, command] of Object.entries(checks)) {
  const started = performance.now();
  const { exitCode, output } = await runProgram(process.execPath, command, true);
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  if (exitCode === 0) {
    console.log(`ok      ${name} (${seconds} s)`);
  } else {
    failed += 1;
    console.log(`${output.trimEnd()}\nFAILED  ${name} (${seconds} s)`);
  }
}
console.log(failed === 0 ? 'All checks passed.' : `Checks failed: ${failed}.`);
process.exitCode = failed === 0 ? 0 : 1;

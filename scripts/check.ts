/** `npm run check`: everything that is checked without running the program. The exit code is 1 where a check failed. */
import { foundryBinary } from '../src/adapters/chain/foundry-binary.ts';
import { installed, runProgram } from './run-program.ts';

const node = process.execPath;

/** The command line of each check. */
const checks: Readonly<Record<string, readonly [program: string, ...args: string[]]>> = {
  types: [node, installed.tsc, '-p', '.'],
  lint: [node, installed.oxlint],
  format: [node, installed.oxfmt, '--check', '.'],
  tidy: [node, installed.vitest, 'run', '--project', 'tidy'],
  'solidity format': [foundryBinary('forge'), 'fmt', '--check'],
  'solidity lint': [foundryBinary('forge'), 'lint', '--deny', 'notes'],
  'solidity analysis': [
    node,
    installed.solhint,
    '--disc',
    '--noPoster',
    '--max-warnings',
    '0',
    'contracts/src/**/*.sol',
    'contracts/script/**/*.sol',
  ],
  'contract bindings': [node, 'scripts/build-contracts.ts', '--check'],
  'gas snapshot': [node, 'scripts/gas-snapshot.ts', '--check'],
  diagrams: [node, 'scripts/diagrams.ts', '--check'],
};

let failed = 0;
for (const [name, [program, ...args]] of Object.entries(checks)) {
  const started = performance.now();
  const { exitCode, output } = await runProgram(program, args, 'quiet');
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

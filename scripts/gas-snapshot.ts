/**
 * Writes down what the contracts cost: `contracts/snapshots` holds the gas of every transaction of a task and of the
 * network around it, `contracts/.gas-snapshot` that of every unit test. With `--check` it writes nothing and the exit
 * code is 1 where a figure is another now; `forge test` alone checks the former.
 */
import { foundryBinary } from '../src/adapters/chain/foundry-binary.ts';
import { runProgram } from './run-program.ts';

const file = 'contracts/.gas-snapshot';
const check = process.argv.includes('--check');
const { exitCode } = await runProgram(foundryBinary('forge'), [
  'snapshot',
  // Fuzz and invariant tests have no cost of their own.
  '--match-path',
  'contracts/test/{unit,gas}/*',
  ...(check ? ['--check', file] : ['--snap', file, '--gas-snapshot-check', 'false', '--gas-snapshot-emit', 'true']),
]);
process.exitCode = exitCode;

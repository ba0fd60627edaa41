/**
 * `npm run soak [-- --minutes N] [--seed TEXT] [--contracts]`: simulations one after the other, with attackers and
 * without, and clusters of processes that are killed and paused; each on a fresh network, each log verified, until the
 * time is over. Prints a line per round; the exit code is 1 where a round did not end well, with the command that
 * repeats it. With `--contracts` it is the invariant suites of the contracts instead, longer and with other seeds.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { SimReport } from '../src/sim/report.ts';
import { foundryBinary } from '../src/adapters/chain/foundry-binary.ts';
import { errorMessage } from '../src/core/errors.ts';
import { keccak256 } from '../src/core/hash.ts';
import { root, runProgram } from './run-program.ts';

/** The commands, in turn. */
const scenarios: readonly (readonly string[])[] = [
  ['sim', '--tasks', '40', '--concurrency', '8'],
  ['sim', '--tasks', '30', '--attack', 'random@1'],
  ['sim', '--tasks', '20', '--attack', 'silent@1'],
  ['sim', '--tasks', '30', '--miners', '9', '--redundancy', '5', '--attack', 'random@2', '--attack', 'silent@1'],
  ['sim', '--tasks', '40', '--temperature', '1', '--concurrency', '16'],
  ['cluster', '--tasks', '300', '--concurrency', '16', '--nats-servers', '3', '--routers', '3', '--chaos', 'heavy'],
];

const usage = `npm run soak -- [--minutes N] [--seed TEXT] [--contracts]

  --minutes N    how long (default: 30)
  --seed TEXT    what the rounds follow from (default: the time)
  --contracts    the invariant suites of the contracts in place of networks
`;

const values = asked();
const minutes = Number(values.minutes);
const endAt = Date.now() + minutes * 60_000;
const pouw = join(root, 'bin', 'pouw.js');

let failures = 0;
for (let round = 0; Date.now() < endAt; round += 1) {
  const seed = `${values.seed}-${round}`;
  if (values.contracts) {
    failures += await soakContracts(seed);
    continue;
  }
  const args = [...(scenarios[round % scenarios.length] ?? []), '--seed', seed];
  const data = mkdtempSync(join(tmpdir(), 'pouw-soak-'));
  const startedAt = Date.now();
  const run = await runProgram(process.execPath, [pouw, ...args, '--data', data, '--json'], 'quiet');
  const isWell = run.exitCode === 0 && (args[0] === 'cluster' || (await isSound(data)));
  const seconds = Math.round((Date.now() - startedAt) / 1_000);
  console.log(`${isWell ? 'ok    ' : 'FAILED'} ${seconds} s  ${summary(run.output)}  pouw ${args.join(' ')}`);
  if (isWell) rmSync(data, { recursive: true });
  else {
    failures += 1;
    console.log(`       kept in ${data}`);
  }
}
console.log(failures === 0 ? 'soak: every round ended well' : `soak: ${failures} rounds did not end well`);
process.exitCode = failures === 0 ? 0 : 1;

/** What the command line asks for; the process ends where that is help, or nothing that there is. */
function asked() {
  try {
    const { values: given } = parseArgs({
      options: {
        minutes: { type: 'string', default: '30' },
        seed: { type: 'string', default: String(Date.now()) },
        contracts: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (!(Number(given.minutes) > 0)) throw new Error('--minutes must be a positive number');
    if (!given.help) return given;
    process.stdout.write(usage);
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${errorMessage(error)}\n\n${usage}`);
    process.exit(2);
  }
}

/** One campaign of the invariant suites; 1 where something did not hold, which forge then shows with the calls. */
async function soakContracts(seed: string): Promise<number> {
  process.env['FOUNDRY_PROFILE'] = 'soak';
  const args = ['test', '--match-path', 'contracts/test/invariant/*', '--fuzz-seed', keccak256(seed)];
  const { exitCode, output } = await runProgram(foundryBinary('forge'), args, 'quiet');
  console.log(exitCode === 0 ? `ok     forge ${args.join(' ')}` : `${output}FAILED forge ${args.join(' ')}`);
  return exitCode === 0 ? 0 : 1;
}

/** Whether the log of a simulation verifies; that of a cluster is on NATS, which verifies it before it ends. */
async function isSound(data: string): Promise<boolean> {
  return (await runProgram(process.execPath, [pouw, 'log', 'verify', data, '--json'], 'quiet')).exitCode === 0;
}

function summary(output: string): string {
  try {
    // Output and errors come together; the report is the line that is an object.
    const line = output.split('\n').find((one) => one.startsWith('{')) ?? '';
    const { tasks, money } = JSON.parse(line) as SimReport;
    return `${tasks.settled} settled, ${tasks.refunded} refunded, ${tasks.failed} failed, money ${money.conserved ? 'conserved' : 'NOT conserved'}`;
  } catch {
    return 'no report';
  }
}

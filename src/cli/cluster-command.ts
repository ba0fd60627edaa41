import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { systemRandom } from '../adapters/local/system-clock.ts';
import type { Scheduling } from '../core/scheduling.ts';
import type { Settlement } from '../core/settlement.ts';
import { type ChaosLevel, chaosLevels } from './cluster/chaos-plan.ts';
import { printClusterReport } from './cluster/cluster-printout.ts';
import { freshFolder } from './fresh-folder.ts';
import { defaultModel } from './compose/defaults.ts';
import { folderOption, schedulingOption, seedOption, settlementOption, wholeNumber } from './parse-options.ts';
import { exitCodes } from './report-error.ts';

interface ClusterOptions {
  readonly routers: number;
  readonly miners: number;
  readonly validators: number;
  readonly oracles: number;
  readonly natsServers: 1 | 3;
  readonly tasks: number;
  readonly concurrency: number;
  readonly sessions: number;
  readonly maxTokens: number;
  readonly model: string;
  readonly scheduling: Scheduling;
  readonly settlement: Settlement;
  readonly chaos?: ChaosLevel;
  readonly seed?: string;
  readonly data?: string;
  readonly json?: boolean;
}

function serverCount(text: string): 1 | 3 {
  if (text === '1') return 1;
  if (text === '3') return 3;
  throw new InvalidArgumentError('It must be 1 or 3.');
}

/** `pouw cluster`. */
export function clusterCommand(): Command {
  return new Command('cluster')
    .description(
      'Run every node as a process of its own on this machine, over NATS, send tasks through them, print a report, exit.',
    )
    .option('--routers <n>', 'router processes', wholeNumber(1, 16), 2)
    .option('--miners <n>', 'miner processes', wholeNumber(3, 64), 4)
    .option('--validators <n>', 'validator processes', wholeNumber(2, 16), 2)
    .option('--oracles <n>', 'oracle processes', wholeNumber(1, 16), 2)
    .option('--nats-servers <n>', '1, or 3 that keep every commit on each', serverCount, 1)
    .option('--tasks <n>', 'how many tasks', wholeNumber(1, 1_000_000), 20)
    .option('--concurrency <n>', 'tasks under way at a time', wholeNumber(1, 256), 4)
    .option('--sessions <n>', 'sessions that the tasks are spread over', wholeNumber(1, 64), 8)
    .option('--max-tokens <n>', 'output tokens per task', wholeNumber(1, 4_096), 64)
    .option('--model <id>', 'chat model: a project model, a folder, or a hub id', defaultModel)
    .addOption(schedulingOption())
    .addOption(settlementOption())
    .addOption(
      new Option(
        '--chaos <level>',
        `kill and pause routers, miners, validators, oracles, the chain’s RPC and (of three) a NATS server at random: a fault every ${Object.entries(
          chaosLevels,
        )
          .map(([level, ms]) => `${ms / 1_000} s (${level})`)
          .join(', ')}`,
      ).choices(Object.keys(chaosLevels)),
    )
    .option('--seed <text>', 'keys, prompts and faults follow from it (default: a fresh one)', seedOption)
    .option('--data <dir>', 'a folder for everything (default: a temporary one, kept)', folderOption)
    .option('--json', 'print exactly one JSON object')
    .action(async (options: ClusterOptions) => {
      const { runCluster } = await import('./cluster/cluster-run.ts');
      const { routers, miners, validators, oracles, data, seed, chaos, json, ...rest } = options;
      const report = await runCluster({
        ...rest,
        folder:
          data === undefined
            ? mkdtempSync(join(tmpdir(), 'pouw-cluster-'))
            : freshFolder(data, 'A cluster makes the keys of all its nodes'),
        seed: seed ?? systemRandom.bytes32().slice(2, 18),
        counts: { routers, miners, validators, oracles },
        faultEveryMs: chaos === undefined ? undefined : chaosLevels[chaos],
      });
      process.stdout.write(json === true ? `${JSON.stringify(report)}\n` : printClusterReport(report));
      process.exitCode = report.ok ? exitCodes.ok : exitCodes.failed;
    });
}

import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import type { DeviceChoice } from '../adapters/transformers/devices.ts';
import { systemClock, systemRandom } from '../adapters/local/system-clock.ts';
import { errorMessage, PouwError } from '../core/errors.ts';
import type { Scheduling } from '../core/scheduling.ts';
import type { Settlement } from '../core/settlement.ts';
import type { Attack } from '../sim/attacks/attack.ts';
import { type AttackSpec, attacks } from '../sim/attacks/table.ts';
import { promptsOf, seededPrompt, seededRequestId } from '../sim/prompts.ts';
import type { SimReport } from '../sim/report.ts';
import type { PlannedTask } from '../sim/run-tasks.ts';
import { defaultModel } from './compose/defaults.ts';
import { defaultCounts } from './compose/settings.ts';
import {
  attackOption,
  deviceOption,
  folderOption,
  schedulingOption,
  seedOption,
  settlementOption,
  temperatureOption,
  wholeNumber,
} from './parse-options.ts';
import { freshFolder } from './fresh-folder.ts';
import { exitCodes, WrongUsage } from './report-error.ts';
import { printSimReport } from './sim-printout.ts';
import type { SimulationPlan } from './sim-run.ts';
import { untilStopped } from './until-stopped.ts';

interface SimOptions {
  readonly tasks?: number;
  readonly prompts?: string;
  readonly miners: number;
  readonly redundancy: number;
  readonly seed?: string;
  readonly model: string;
  readonly device: DeviceChoice;
  readonly attack: readonly AttackSpec[];
  readonly maxTokens: number;
  readonly temperature: number;
  readonly concurrency: number;
  readonly scheduling: Scheduling;
  readonly settlement: Settlement;
  readonly data?: string;
  readonly json?: boolean;
}

const defaultTasks = 10;

/** `pouw sim`. */
export function simCommand(): Command {
  return new Command('sim')
    .description('Run tasks through a fresh network on real parts, print a report, exit.')
    .option(
      '--tasks <n>',
      `how many tasks (default: ${defaultTasks}, or one per prompt of the file)`,
      wholeNumber(1, 100_000),
    )
    .option('--prompts <file>', 'prompts, one per line; repeated in order when there are more tasks')
    .option('--miners <n>', 'miners of the network', wholeNumber(1, 64), defaultCounts.miners)
    .option('--redundancy <k>', 'miners per task', wholeNumber(1, 16), 3)
    .option('--seed <text>', 'keys, prompts and request ids follow from it (default: a fresh one)', seedOption)
    .option('--model <id>', 'chat model: a project model, a folder, or a hub id', defaultModel)
    .option('--device <device>', 'cpu, cuda, webgpu or auto', deviceOption, 'auto')
    .option(
      '--attack <name@count>',
      `dishonest miners; repeatable. Known: ${attacks.map((one) => `${one.name} (${one.summary})`).join('; ')}`,
      attackOption,
      [],
    )
    .option('--max-tokens <n>', 'output tokens per task', wholeNumber(1, 4_096), 64)
    .option('--temperature <t>', '0 is greedy', temperatureOption, 0)
    .option('--concurrency <n>', 'tasks under way at a time', wholeNumber(1, 64), 4)
    .addOption(schedulingOption())
    .addOption(settlementOption())
    .option('--data <dir>', 'a new or empty directory for the network (default: a temporary one, kept)', folderOption)
    .option('--json', 'print exactly one JSON object')
    .action(runSim);
}

async function runSim(options: SimOptions): Promise<void> {
  const plan = planOf(options);
  // Loaded only now: help and wrong usage need no models and no chain.
  const { runSimulation } = await import('./sim-run.ts');
  const report = await runSimulation(plan, systemClock, untilStopped());
  process.stdout.write(options.json === true ? `${JSON.stringify(withoutFailures(report))}\n` : printSimReport(report));
  process.exitCode = report.ok ? exitCodes.ok : exitCodes.failed;
}

/** @throws WrongUsage where the options do not make a plan. */
function planOf(options: SimOptions): SimulationPlan {
  const seed = options.seed ?? systemRandom.bytes32().slice(2, 18);
  const { miners, redundancy, model, device, maxTokens, temperature, concurrency, scheduling, settlement } = options;
  try {
    return {
      seed,
      tasks: plannedTasks(options, seed),
      miners,
      redundancy,
      model,
      device,
      attacks: attackers(options),
      maxTokens,
      temperature,
      concurrency,
      scheduling,
      settlement,
      data: dataDirectory(options.data),
    };
  } catch (error) {
    throw error instanceof PouwError ? new WrongUsage(error) : error;
  }
}

/** The report as programs are promised it: why a task has no answer is for people, and in the log. */
function withoutFailures(report: SimReport): SimReport {
  return { ...report, results: report.results.map(({ failure: _, ...result }) => result) };
}

function plannedTasks({ tasks, prompts }: SimOptions, seed: string): PlannedTask[] {
  const given = prompts === undefined ? undefined : promptsOf(readText(prompts));
  const count = tasks ?? given?.length ?? defaultTasks;
  return Array.from({ length: count }, (_, index) => ({
    prompt: given?.[index % given.length] ?? seededPrompt(seed, index),
    requestId: seededRequestId(seed, index),
  }));
}

function readText(path: string): string {
  const bytes = readBytes(path);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new PouwError('invalid_encoding', `The file ${path} is not UTF-8.`, {
      class: 'invalid',
      param: 'prompts',
      hint: 'Save it as UTF-8.',
      cause,
    });
  }
}

function readBytes(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new PouwError('file_unreadable', `The file ${path} cannot be read: ${errorMessage(cause)}`, {
      class: 'invalid',
      param: 'prompts',
      hint: 'Name a file of prompts, one on each line.',
      cause,
    });
  }
}

/** The last miners are the dishonest ones. */
function attackers({ attack, miners, redundancy }: SimOptions): Map<number, Attack> {
  if (redundancy > miners) {
    throw new PouwError('not_enough_miners', `${redundancy} miners per task are wanted, the network has ${miners}.`, {
      class: 'invalid',
      param: 'redundancy',
      hint: 'Use more --miners or a smaller --redundancy.',
    });
  }
  const found = new Map<number, Attack>();
  for (const { attack: one, count } of attack) {
    for (let made = 0; made < count; made += 1) found.set(miners - 1 - found.size, one);
  }
  if (found.size <= miners && [...found.keys()].every((index) => index >= 0)) return found;
  throw new PouwError('too_many_attackers', `There are more attackers than the ${miners} miners.`, {
    class: 'invalid',
    param: 'attack',
    hint: 'Use more --miners.',
  });
}

function dataDirectory(wanted: string | undefined): string {
  if (wanted === undefined) return mkdtempSync(join(tmpdir(), 'pouw-sim-'));
  return freshFolder(wanted, 'A simulation runs on a fresh network');
}

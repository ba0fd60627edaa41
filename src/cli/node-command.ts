import { Command, Option } from 'commander';
import type { Role } from '../core/ids.ts';
import { configFields, type ConfigName } from './config/schema.ts';

const descriptions: Readonly<Record<Role, string>> = {
  router: 'Run a router: it serves HTTP, owns sessions, schedules their tasks and anchors the log.',
  miner: 'Run a miner: it answers tasks with its models.',
  validator: 'Run a validator: it compares the miners’ answers and attests.',
  oracle: 'Run an oracle: it watches deadlines and enforces them on chain.',
  client:
    'Run a client: it opens a session from its wallet, prints an API key, and serves deposits until it is stopped.',
};

/** Settings that only some roles have; all others have every one of the rest. */
const only: Partial<Readonly<Record<ConfigName, readonly Role[]>>> = {
  host: ['router'],
  port: ['router'],
  leaseMs: ['router'],
  scheduling: ['router'],
  waitingTasks: ['router'],
  anchorEveryMs: ['router'],
  checkpointEveryMs: ['oracle'],
  capacity: ['miner'],
  appeals: ['miner'],
  sliceMs: ['oracle'],
  sessions: ['client'],
  appealWindow: ['client'],
  embedder: ['router', 'miner', 'validator'],
  device: ['router', 'miner', 'validator'],
  workers: ['router', 'miner', 'validator'],
  model: ['router', 'miner', 'validator', 'client'],
};

/** Whether a setting means something to a role. */
export function isFor(name: ConfigName, role: Role): boolean {
  return only[name]?.includes(role) ?? true;
}

/** An option that is given again adds to what it was. */
function joined(text: string, before: string | undefined): string {
  return before === undefined ? text : `${before},${text}`;
}

/** `pouw router`, `pouw miner`, `pouw validator`, `pouw oracle`, `pouw client`: one node as a process of its own. */
export function nodeCommand(role: Role): Command {
  const command = new Command(role).description(descriptions[role]);
  for (const { name, flag, variable, defaultValue, meaning } of configFields()) {
    if (!isFor(name, role)) continue;
    const shown = defaultValue === undefined ? '' : `, default ${String(defaultValue)}`;
    const option = new Option(`${flag} <value>`, `${meaning} (${variable}${shown})`);
    command.addOption(name === 'rpc' ? option.argParser(joined) : option);
  }
  return command
    .option('--config <file>', 'JSON file with any of these settings; the command line and the environment go first')
    .option('--json', 'print one JSON line when ready, and nothing else')
    .action(async (options: Record<string, string> & { config?: string; json?: boolean }) => {
      const { runNode } = await import('./node-run.ts');
      await runNode(role, options);
    });
}

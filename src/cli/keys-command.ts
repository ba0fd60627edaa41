import { Command, InvalidArgumentError, Option } from 'commander';
import type { NatsRole } from '../adapters/nats/permissions.ts';
import { defaultEmbedder, defaultModel } from './compose/defaults.ts';
import { defaultDataFolder } from './data-folder.ts';
import { folderOption } from './parse-options.ts';

const roles: readonly NatsRole[] = ['router', 'miner', 'validator', 'oracle', 'client', 'observer', 'operator'];

/** `pouw keys`: the public half of a node's keys; its files are made where there are none. */
export function keysCommand(): Command {
  return new Command('keys')
    .description(
      'Show a node’s public keys: account, signing key, nkey. Makes its key files where there are none. An observer or an operator of NATS has an nkey alone.',
    )
    .addOption(new Option('--role <role>', 'whose keys they are').choices(roles).makeOptionMandatory())
    .option(
      '--model <id...>',
      `models from whose queues a miner takes jobs (default: ${defaultModel} ${defaultEmbedder})`,
      modelsOption,
    )
    .option('--data <dir>', 'the node’s data folder; default below the user’s data folder', folderOption)
    .option('--json', 'print one JSON object, as `pouw nats-config` reads it')
    .action(async (options: { role: NatsRole; data?: string; model?: readonly string[]; json?: boolean }) => {
      const { showKeys } = await import('./keys-run.ts');
      showKeys({ ...options, data: options.data ?? `${defaultDataFolder()}/${options.role}` });
    });
}

function modelsOption(id: string, before: readonly string[] | undefined): readonly string[] {
  if (id === '') throw new InvalidArgumentError('It must be the id of a model.');
  return [...(before ?? []), id];
}

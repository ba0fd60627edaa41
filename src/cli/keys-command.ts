import { Command, Option } from 'commander';
import type { Role } from '../core/ids.ts';
import { defaultDataFolder } from './data-folder.ts';
import { folderOption } from './parse-options.ts';

const roles: readonly Role[] = ['router', 'miner', 'validator', 'oracle', 'client'];

/** `pouw keys`: the public half of a node's keys; its files are made where there are none. */
export function keysCommand(): Command {
  return new Command('keys')
    .description('Show a node’s public keys: account, signing key, nkey. Makes its key files where there are none.')
    .addOption(new Option('--role <role>', 'what the node is').choices(roles).makeOptionMandatory())
    .option('--data <dir>', 'the node’s data folder; default below the user’s data folder', folderOption)
    .option('--json', 'print one JSON object, as `pouw nats-config` reads it')
    .action(async (options: { role: Role; data?: string; json?: boolean }) => {
      const { showKeys } = await import('./keys-run.ts');
      showKeys({ ...options, data: options.data ?? `${defaultDataFolder()}/${options.role}` });
    });
}

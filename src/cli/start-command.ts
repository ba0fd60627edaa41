import { Command } from 'commander';
import { defaultModel } from './compose/defaults.ts';
import { defaultDataFolder } from './data-folder.ts';
import { withOperationsOptions } from './operations/options.ts';
import {
  deviceOption,
  folderOption,
  idleRoundsOption,
  rpcUrlsOption,
  schedulingOption,
  settlementOption,
  wholeNumber,
} from './parse-options.ts';
import type { StartOptions } from './start-run.ts';

/** The port of the endpoint unless `--port` says otherwise. */
const defaultPort = 8_787;

/** `pouw start`. */
export function startCommand(): Command {
  return withOperationsOptions(
    new Command('start')
      .description(
        'Start the whole network in this process and keep it up: chain, nodes, models, OpenAI-compatible endpoint.',
      )
      .option(
        '--data <dir>',
        'where chain, log, keys and content are kept (default: POUW_DATA, else pouw in the user’s data folder)',
        folderOption,
      )
      .option('--port <port>', 'port of the endpoint, 0 for a free one', wholeNumber(0, 65_535), defaultPort)
      .option('--host <address>', 'address the endpoint listens on', '127.0.0.1')
      .option(
        '--rpc <url>',
        'use this chain instead of starting our own anvil; several endpoints with commas between them',
        rpcUrlsOption,
      )
      .option('--model <id>', 'chat model: a project model, a folder, or a hub id', defaultModel)
      .option('--device <device>', 'cpu, cuda, webgpu or auto', deviceOption, 'auto')
      .addOption(schedulingOption())
      .addOption(settlementOption())
      .addOption(idleRoundsOption())
      .option(
        '--json',
        'print one JSON line {url, apiKey, model, rpcUrl, data} when ready, and nothing else (npm adds its banner without --silent)',
      )
      // Loaded only now: help and wrong usage need no models and no chain.
      .action(async (options: Omit<StartOptions, 'data'> & { readonly data?: string }) => {
        const data = options.data ?? defaultDataFolder();
        await (await import('./start-run.ts')).runStart({ ...options, data });
      }),
  );
}

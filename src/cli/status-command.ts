import { Command } from 'commander';
import { type NatsPeerOptions, withNatsOptions } from './nats-options.ts';

/** `pouw status`: who is there. */
export function statusCommand(): Command {
  const command = new Command('status').description('Show the nodes that are present on NATS.');
  return withNatsOptions(command, 'an observer or an operator')
    .option('--json', 'print one JSON array')
    .action(async (options: NatsPeerOptions & { json?: boolean }) => {
      const { showStatus } = await import('./status-run.ts');
      await showStatus(options);
    });
}

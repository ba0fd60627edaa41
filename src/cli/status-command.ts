import { Command } from 'commander';

/** `pouw status`: who is there. */
export function statusCommand(): Command {
  return new Command('status')
    .description('Show the nodes that are present on NATS.')
    .option('--nats <urls>', 'servers of NATS, commas between them', 'nats://127.0.0.1:4222')
    .option('--nats-key <file>', 'file with the seed of an nkey that may look')
    .option('--json', 'print one JSON array')
    .action(async (options: { nats: string; natsKey?: string; json?: boolean }) => {
      const { showStatus } = await import('./status-run.ts');
      await showStatus(options);
    });
}

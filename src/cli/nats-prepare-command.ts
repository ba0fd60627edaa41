import { Command } from 'commander';
import { defaultEmbedder, defaultModel } from './compose/defaults.ts';
import { type NatsPeerOptions, withNatsOptions } from './nats-options.ts';
import { replicaCount, wholeNumber } from './parse-options.ts';

/** `pouw nats-prepare`: what an operator does once, before the nodes come, since their keys may not. */
export function natsPrepareCommand(): Command {
  const command = new Command('nats-prepare').description(
    'Make what a network keeps on NATS: the log, the buckets, the queues. Nodes may use them and not make them. To do it again does no harm.',
  );
  return withNatsOptions(command, 'an operator')
    .option('--replicas <n>', 'NATS servers that keep each commit: 1, 3 or 5', replicaCount, 1)
    .option('--model <id...>', 'models whose queues are made', [defaultModel, defaultEmbedder])
    .option('--wait-ms <n>', 'how long servers may take to be there, in milliseconds', wholeNumber(0, 600_000), 60_000)
    .option('--json', 'print one JSON object')
    .action(async (options: PrepareOptions) => {
      const { runNatsPrepare } = await import('./nats-prepare-run.ts');
      await runNatsPrepare(options);
    });
}

/** What `pouw nats-prepare` was asked for. */
export interface PrepareOptions extends NatsPeerOptions {
  readonly replicas: number;
  readonly model: readonly string[];
  readonly waitMs: number;
  readonly json?: boolean;
}

import { Command } from 'commander';
import { configFields, configSchema } from './config/schema.ts';
import { table } from './table.ts';

/** `pouw config`: every setting of a node process with its default. */
export function configCommand(): Command {
  return new Command('config')
    .description('List every setting of a node process: flag, environment variable, default, meaning.')
    .option('--json', 'print a configuration file with the defaults instead')
    .action(({ json }: { json?: boolean }) => {
      if (json === true) {
        process.stdout.write(`${JSON.stringify(configSchema.parse({}), null, 2)}\n`);
        return;
      }
      const columns = ['flag', 'environment', 'default', 'meaning'].map((title) => ({ title }));
      const lines = configFields().map(({ flag, variable, defaultValue, meaning }) => [
        flag,
        variable,
        defaultValue === undefined ? '–' : String(defaultValue),
        meaning,
      ]);
      process.stdout.write(`${table(columns, lines)}\n`);
    });
}

import { Option, type Command } from 'commander';
import { type LogLevel, logLevels } from '../../ports/log.ts';
import { wholeNumber } from '../parse-options.ts';

/** What every command that keeps a process up can be told about its operations side. */
export interface OperationsFlags {
  readonly opsPort?: number;
  readonly opsHost?: string;
  readonly logLevel: LogLevel;
}

/** Adds `--ops-port`, `--ops-host` and `--log-level` to a command. */
export function withOperationsOptions(command: Command): Command {
  return command
    .option('--ops-port <port>', 'serve /metrics, /healthz and /readyz here, 0 for a free port', wholeNumber(0, 65_535))
    .option('--ops-host <address>', 'address the operations server listens on (default: "127.0.0.1")')
    .addOption(new Option('--log-level <level>', 'least level of the log').choices(logLevels).default('info'));
}

import { destination, pino, type LoggerOptions } from 'pino';
import type { Clock } from '../../ports/clock.ts';
import type { Log, LogFields, LogLevel } from '../../ports/log.ts';
import { redactFields, redactText } from './redact.ts';

/** Where a log goes. */
export interface PinoLogOptions {
  /** `stdout`, `stderr`, or the path of a file that is appended to; a new one is for its owner's eyes only. */
  readonly to: string;
  /** The least level that is written. */
  readonly level: LogLevel;
  readonly clock: Clock;
  /** What every line carries: role and node of the process. */
  readonly fields?: LogFields;
}

/** A log that has to be closed. */
export interface OpenLog extends Log {
  /** Resolves once every line is written. */
  close(): Promise<void>;
}

/**
 * A log of one JSON object a line: `level`, `at` (ISO 8601), the fields, `message`. Anything that looks like a key is
 * taken out. What cannot be written is lost, never an error of the caller.
 *
 * @example
 * const log = openPinoLog({ to: 'stderr', level: 'info', clock: systemClock, fields: { role: 'router' } });
 * log.info('the router is up', { node: address });
 * await log.close();
 */
export function openPinoLog({ to, level, clock, fields = {} }: PinoLogOptions): OpenLog {
  const out = destination({ dest: target(to), append: true, mode: 0o600, sync: false });
  out.on('error', () => {});
  const shared = redactFields(fields);
  const options: LoggerOptions = {
    level,
    // Merged here: pino would write a field of its base and one of the line's own of the same name both.
    base: null,
    messageKey: 'message',
    timestamp: () => `,"at":"${new Date(clock.now()).toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
  };
  const logger = pino(options, out);
  const write = (at: LogLevel) => (message: string, own?: LogFields) => {
    if (logger.isLevelEnabled(at))
      logger[at](own === undefined ? shared : { ...shared, ...redactFields(own) }, redactText(message));
  };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    close: () =>
      new Promise((resolve) => {
        out.once('close', resolve);
        out.once('error', () => resolve());
        out.end();
      }),
  };
}

function target(to: string): string | number {
  if (to === 'stdout') return 1;
  return to === 'stderr' ? 2 : to;
}

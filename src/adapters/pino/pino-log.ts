import { openSync } from 'node:fs';
import { destination, pino, type LoggerOptions } from 'pino';
import { errorMessage, PouwError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
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
 * taken out. A line that cannot be written is lost, never an error of the caller.
 *
 * @example
 * const log = openPinoLog({ to: 'stderr', level: 'info', clock: systemClock, fields: { role: 'router' } });
 * log.info('the router is up', { node: address });
 * await log.close();
 * @throws PouwError `data_dir_unwritable` for a file that cannot be opened.
 */
export function openPinoLog({ to, level, clock, fields = {} }: PinoLogOptions): OpenLog {
  const out = openOut(to);
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

/**
 * A file is written at once: what is not would be written when the process ends, and what pino uses for that tries for ever
 * where there is no room, deaf to every signal. Whoever reads the standard streams may be slow, so those are not waited for,
 * and nothing is tried at the end where the last line could not be written either.
 */
function openOut(to: string): ReturnType<typeof destination> {
  const isFile = to !== 'stdout' && to !== 'stderr';
  const out = destination({ dest: target(to), sync: isFile, maxLength: limits.logPendingCharsMax });
  let isFailing = false;
  out.on('error', () => (isFailing = true));
  out.on('write', () => (isFailing = false));
  const flush = out.flushSync.bind(out);
  out.flushSync = () => {
    if (!isFailing) flush();
  };
  return out;
}

/** Opened here: pino's destination opens a file later, and ends the process where that fails. */
function target(to: string): number {
  if (to === 'stdout') return 1;
  if (to === 'stderr') return 2;
  try {
    return openSync(to, 'a', 0o600);
  } catch (error) {
    throw new PouwError('data_dir_unwritable', `Cannot write to ${to}.`, {
      class: 'unavailable',
      why: errorMessage(error),
      hint: 'Give this user the right to write there, or use another --data directory.',
      param: 'data',
      cause: error,
    });
  }
}

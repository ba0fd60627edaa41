import { createWriteStream } from 'node:fs';
import type { Clock } from '../../ports/clock.ts';
import type { Log, LogFields } from '../../ports/log.ts';

/** Levels, the most talkative first. */
export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

/** A log that is written to a file. */
export interface FileLog extends Log {
  close(): Promise<void>;
}

/** Writes one JSON object per line to a file; what cannot be written is lost, never an error of the caller. */
export function openFileLog(path: string, clock: Clock, least: LogLevel): FileLog {
  const out = createWriteStream(path, { flags: 'a', mode: 0o600 });
  out.on('error', () => {});
  const write = (level: LogLevel) => (message: string, fields?: LogFields) => {
    if (logLevels.indexOf(level) < logLevels.indexOf(least)) return;
    out.write(`${JSON.stringify({ at: new Date(clock.now()).toISOString(), level, message, ...fields })}\n`);
  };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    close: () => new Promise((resolve) => out.end(resolve)),
  };
}

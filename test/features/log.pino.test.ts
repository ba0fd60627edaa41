import { readFileSync } from 'node:fs';
import { openPinoLog } from '../../src/adapters/pino/pino-log.ts';
import { systemClock } from '../../src/adapters/local/system-clock.ts';
import { type LogFields, type LogLevel, silentLog } from '../../src/ports/log.ts';
import { logFeatures, type LogLine, toldLogFeatures } from './log.features.ts';
import { scratchDirectory } from './scratch-directory.ts';

type PinoLine = LogFields & { readonly level: LogLevel; readonly message: string };

function lineOf(text: string): LogLine {
  const { level, message, at: _, ...fields } = JSON.parse(text) as PinoLine;
  return { level, message, fields };
}

logFeatures('pino', async () => {
  const scratch = scratchDirectory();
  const to = scratch.file('a.log');
  const log = openPinoLog({ to, level: 'debug', clock: systemClock });
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= log.close());
  return {
    log,
    lines: async () => {
      await close();
      return readFileSync(to, 'utf8').split('\n').slice(0, -1).map(lineOf);
    },
    close: async () => {
      await close();
      scratch.remove();
    },
  };
});

toldLogFeatures('silent', async () => ({ log: silentLog, close: () => Promise.resolve() }));

import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { pouwError, textWith } from '../../../test/features/pouw-error.ts';
import { limits } from '../../core/limits.ts';
import { logLevels, withFields } from '../../ports/log.ts';
import { systemClock } from '../local/system-clock.ts';
import { openPinoLog, type PinoLogOptions } from './pino-log.ts';
import { redacted } from './redact.ts';

const folder = mkdtempSync(join(tmpdir(), 'pouw-log-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;

/** A log into a file of its own, and the lines in it once it is closed. */
function logged(options: Partial<PinoLogOptions> = {}) {
  const to = join(folder, `${(files += 1)}.log`);
  const log = openPinoLog({ to, level: 'debug', clock: { ...systemClock, now: () => 1_795_357_790_123 }, ...options });
  const lines = async (): Promise<Record<string, unknown>[]> => {
    await log.close();
    const text = readFileSync(to, 'utf8');
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  };
  return { to, log, lines };
}

describe('a log', () => {
  test('writes one JSON object a line: time, level, fields, message', async () => {
    const { log, lines, to } = logged({ fields: { role: 'miner', node: '0xabc' } });
    log.warn('an effect failed', { attempt: 2, code: 'no_miners', session: undefined });
    log.info('done');
    expect(await lines()).toEqual([
      {
        at: '2026-11-22T14:29:50.123Z',
        level: 'warn',
        role: 'miner',
        node: '0xabc',
        attempt: 2,
        code: 'no_miners',
        message: 'an effect failed',
      },
      { at: '2026-11-22T14:29:50.123Z', level: 'info', role: 'miner', node: '0xabc', message: 'done' },
    ]);
    expect(statSync(to).mode & 0o777).toBe(0o600);
  });

  test.each(logLevels)('of level %s leaves out what is below it', async (level) => {
    const { log, lines } = logged({ level });
    for (const one of logLevels) log[one](one);
    expect((await lines()).map(({ message }) => message)).toEqual(logLevels.slice(logLevels.indexOf(level)));
  });

  test('has each field once, the line’s own where it is named twice', async () => {
    const { log, lines, to } = logged({ fields: { role: 'miner', node: '0xabc' } });
    withFields(log, { role: 'miner', node: '0xabc' }).info('ready', { node: '0xdef' });
    expect(await lines()).toMatchObject([{ role: 'miner', node: '0xdef' }]);
    const text = readFileSync(to, 'utf8');
    expect([text.match(/"role"/g), text.match(/"node"/g)].map((found) => found?.length)).toEqual([1, 1]);
  });

  test('goes on in the file of an earlier one', async () => {
    const first = logged();
    first.log.info('first');
    await first.lines();
    const again = openPinoLog({ to: first.to, level: 'info', clock: systemClock });
    again.info('second');
    await again.close();
    expect(readFileSync(first.to, 'utf8')).toMatch(/"first".*\n.*"second"/);
  });

  test.each([join(folder, 'nowhere', 'a.log'), folder])('that cannot be opened is refused at once: %s', (to) => {
    expect(() => openPinoLog({ to, level: 'info', clock: systemClock })).toThrow(
      pouwError('data_dir_unwritable', { message: textWith(to), why: textWith(to) }),
    );
  });

  test.each(['/dev/full', 'stderr'])('on %s that has no room lets its process end', async (to) => {
    const open = pathToFileURL(join(import.meta.dirname, 'pino-log.ts')).href;
    const program = `
      const { openPinoLog } = await import('${open}');
      const log = openPinoLog({ to: '${to}', level: 'info', clock: { now: () => 1 } });
      for (let line = 0; line < 3; line += 1) {
        log.info('lost');
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      log.info('lost at the end');
      process.exit(7);`;
    const full = openSync('/dev/full', 'w');
    const { status } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'ignore', full],
      timeout: 15_000,
    });
    closeSync(full);
    expect(status).toBe(7);
  });

  test('that finds no room on the disk harms nobody', async () => {
    const log = openPinoLog({ to: '/dev/full', level: 'info', clock: systemClock });
    log.info('lost');
    await sleep(20);
    log.info('lost as well');
    expect(await log.close()).toBeUndefined();
  });
});

describe('a secret in a log line', () => {
  const privateKey = `0x${'a1b2c3d4'.repeat(8)}`;

  test('is marked as taken out, in its place', async () => {
    const { log, lines } = logged();
    log.info('with Bearer abcdef123456 it went wrong', { apiKey: 'anything', task: 'Bearer abcdef123456' });
    expect(await lines()).toMatchObject([
      {
        message: `with Bearer ${redacted} it went wrong`,
        apiKey: redacted,
        task: `Bearer ${redacted}`,
      },
    ]);
  });

  test('that may be a private key or only a hash is shortened, but in the fields of identifiers', async () => {
    const { log, lines } = logged();
    log.warn(`no such thing: ${privateKey}`, { error: privateKey.slice(2), task: privateKey, keyHash: 'ab' });
    expect(await lines()).toMatchObject([
      { message: 'no such thing: 0xa1b2…c3d4', error: 'a1b2…c3d4', task: privateKey, keyHash: 'ab' },
    ]);
  });

  test('a text is written up to its bound and cut behind it', async () => {
    const { log, lines } = logged();
    const fits = 'x '.repeat(limits.logTextCharsMax / 2);
    log.info(fits, { error: `${fits}y` });
    expect(await lines()).toMatchObject([{ message: fits, error: `${fits}…` }]);
  });
});

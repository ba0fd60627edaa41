import { spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What a program is started through for the modes of files to bind it: root may read and write everything, unless it
 * gives up the right to. The program stays the owner of its files.
 */
export const boundByModes: readonly string[] =
  process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-all', '--inh-caps=-all'] : [];

/** @throws where modes do not bind what is started through {@link boundByModes}: tests of them would prove nothing. */
export function requireModesBind(folder: string): void {
  const file = join(folder, 'read-only');
  writeFileSync(file, '');
  chmodSync(file, 0o444);
  const script = `try { fs.openSync(${JSON.stringify(file)}, 'a'); } catch (error) { console.log(error.code); }`;
  const [program, ...rest] = [...boundByModes, process.execPath, '-e', script] as const;
  const { stdout, stderr, error } = spawnSync(program, rest, { encoding: 'utf8' });
  if (stdout?.trim() !== 'EACCES')
    throw new Error(`The modes of files do not bind here: ${error?.message ?? `${stdout}${stderr}`}`);
}

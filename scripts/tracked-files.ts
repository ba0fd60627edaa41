import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSource, type SourceFile } from './source-file.ts';

const root = join(import.meta.dirname, '..');

/** The paths of all files that git tracks or would track, sorted, from the repository's root. */
export function trackedPaths(): string[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 16 * 1024 * 1024,
  });
  return [...new Set(listed.split('\0'))].filter((path) => path !== '' && existsSync(join(root, path))).toSorted();
}

/** The text of a tracked file. */
export function trackedText(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** Every tracked TypeScript and JavaScript file, parsed. */
export function trackedSources(): SourceFile[] {
  return trackedPaths()
    .filter((path) => /\.[jt]s$/.test(path))
    .map((path) => parseSource(path, trackedText(path)));
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new directory for one test, and how to remove it. */
export interface ScratchDirectory {
  readonly path: string;
  file(name: string): string;
  remove(): void;
}

/** Makes a directory of its own under the system's temporary one. */
export function scratchDirectory(): ScratchDirectory {
  const path = mkdtempSync(join(tmpdir(), 'pouw-test-'));
  return { path, file: (name) => join(path, name), remove: () => rmSync(path, { recursive: true, force: true }) };
}

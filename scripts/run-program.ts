import { spawn } from 'node:child_process';
import { setPriority } from 'node:os';
import { delimiter, join } from 'node:path';

/** The repository's root folder. */
export const root = join(import.meta.dirname, '..');

/** How a program ended and what it printed, standard output and error together. */
export interface Outcome {
  /** The exit code; 1 where a signal ended the program. */
  readonly exitCode: number;
  readonly output: string;
}

/** A quarter of the time where others want all of it. */
const backgroundPriority = 5;

/** Whether a program's output goes to the terminal; in the background it lets others go first, too. */
export type Manner = 'shown' | 'quiet' | 'background';

/**
 * Runs a program in the repository's root, with the programs that npm installed first on its path, and waits for its
 * end.
 *
 * @throws Error where the program cannot be started.
 */
export function runProgram(program: string, args: readonly string[], how: Manner = 'shown'): Promise<Outcome> {
  const path = [join(root, 'node_modules', '.bin'), process.env['PATH']].join(delimiter);
  const env = { ...process.env, PATH: path, ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : {}) };
  const child = spawn(program, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  if (how === 'background' && child.pid !== undefined) setPriority(child.pid, backgroundPriority);
  let output = '';
  for (const [from, to] of [
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ] as const) {
    from.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      if (how === 'shown') to.write(chunk);
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ exitCode: code ?? 1, output }));
  });
}

/** The command line, after `node`, of a JavaScript program that npm installed. */
export const installed = {
  oxfmt: join(root, 'node_modules/oxfmt/bin/oxfmt'),
  solhint: join(root, 'node_modules/solhint/solhint.js'),
  oxlint: join(root, 'node_modules/oxlint/bin/oxlint'),
  tsc: join(root, 'node_modules/typescript/bin/tsc'),
  vitest: join(root, 'node_modules/vitest/vitest.mjs'),
} as const;

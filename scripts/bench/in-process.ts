import { spawn } from 'node:child_process';
import { join } from 'node:path';

/**
 * Runs a script of this folder as a process of its own, in which memory can be measured: nothing is left from another one,
 * and garbage can be collected on demand.
 *
 * @returns what it printed.
 * @throws Error where it fails.
 */
export async function inProcess(script: string, ...args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, ['--expose-gc', join(import.meta.dirname, script), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  );
  if (code !== 0) throw new Error(`${script} ended with ${code}`);
  return output;
}

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { parseNatsVersion } from './server-version.ts';

const versionTimeoutMs = 10_000;

/** The version a server program says it has; undefined where it does not exist, does not run or is something else. */
export async function readProgramVersion(path: string): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(path, ['--version'], { timeout: versionTimeoutMs });
    const version = /^nats-server: (\S+)/.exec(stdout.trim())?.[1];
    const parsed = version === undefined ? undefined : parseNatsVersion(version);
    return parsed?.join('.');
  } catch {
    return undefined;
  }
}

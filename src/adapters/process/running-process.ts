import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

/** Whether a process with this id lives. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Whether a process runs: one that has ended and was not waited for has an id but no command line. */
export async function isRunning(pid: number): Promise<boolean> {
  return isAlive(pid) && (await commandLine(pid)) !== '';
}

/** The command line of a living process, empty when it has ended; undefined where the system does not tell. */
export async function commandLine(pid: number): Promise<string | undefined> {
  try {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ').trim();
  } catch {
    // No /proc, as on macOS: ask ps.
  }
  try {
    const { stdout } = await promisify(execFile)('ps', ['-ww', '-p', String(pid), '-o', 'command='], {
      timeout: 5_000,
    });
    return stdout.trim() === '' ? undefined : stdout.trim();
  } catch {
    return undefined;
  }
}

/** How long a process may take to end after a signal before the next one is tried. */
const endTimeoutMs = 5_000;

/** Ends a process that is not our child: asks it to, then kills it. @returns whether it is gone. */
export async function endProcess(pid: number): Promise<boolean> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    try {
      process.kill(pid, signal);
    } catch {
      return !(await isRunning(pid));
    }
    const giveUpAt = performance.now() + endTimeoutMs;
    while (performance.now() < giveUpAt) {
      if (!(await isRunning(pid))) return true;
      await sleep(20);
    }
  }
  return false;
}

/** The process that starts others: its id and command line, since ids are used again. */
export interface ProcessOwner {
  readonly pid: number;
  readonly command: string;
}

/** This process as an owner. */
export async function thisOwner(): Promise<ProcessOwner> {
  return { pid: process.pid, command: (await commandLine(process.pid)) ?? '' };
}

/** Whether an owner other than this process still runs. Our own id means that ids were used again. */
export async function isOwnedByAnother(owner: ProcessOwner): Promise<boolean> {
  if (owner.pid === process.pid || !(await isRunning(owner.pid))) return false;
  return (await commandLine(owner.pid)) === owner.command;
}

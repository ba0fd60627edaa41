import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
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

/** The processes other than this one whose command line is as asked for; none where the system does not tell. */
export async function processesOf(isWanted: (command: string) => boolean): Promise<number[]> {
  const commands = (await commandsInProc()) ?? (await commandsByPs());
  return [...commands].flatMap(([pid, command]) => (pid !== process.pid && isWanted(command) ? [pid] : []));
}

/** Command lines by process; undefined where there is no /proc. */
async function commandsInProc(): Promise<ReadonlyMap<number, string> | undefined> {
  const names = await readdir('/proc').catch(() => undefined);
  const pids = names?.filter((name) => /^\d+$/.test(name)).map(Number) ?? [];
  if (pids.length === 0) return undefined;
  const read = async (pid: number): Promise<[number, string]> => {
    // Empty where it has ended meanwhile.
    const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    return [pid, text.replaceAll('\0', ' ').trim()];
  };
  return new Map(await Promise.all(pids.map(read)));
}

async function commandsByPs(): Promise<ReadonlyMap<number, string>> {
  try {
    const { stdout } = await promisify(execFile)('ps', ['-axww', '-o', 'pid=,command='], { timeout: 5_000 });
    return new Map(
      stdout.split('\n').flatMap((line) => {
        const [, pid, command] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? [];
        return pid === undefined || command === undefined ? [] : [[Number(pid), command.trim()]];
      }),
    );
  } catch {
    return new Map();
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

import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
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

/** A process as the system lists it. */
interface Listed {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/**
 * The processes whose command line is as asked for and whose parent is gone: who was started by somebody that still runs is
 * not for us to judge. Those of other containers are left out. None where the system does not tell.
 *
 * @param isParent whether a command line is that of a program that starts such processes.
 */
export async function orphansOf(
  isWanted: (command: string) => boolean,
  isParent: (command: string) => boolean,
): Promise<number[]> {
  const all = (await listedInProc()) ?? (await listedByPs());
  const commands = new Map(all.map(({ pid, command }) => [pid, command]));
  const orphans = all.filter(({ pid, parent, command }) => {
    // Our own child is one that nobody knows of any more: who asks has none yet.
    const isOrphan = parent === process.pid || !isParent(commands.get(parent) ?? '');
    return pid !== process.pid && isWanted(command) && isOrphan;
  });
  const here = await Promise.all(orphans.map(async ({ pid }) => ((await isHere(pid)) ? [pid] : [])));
  return here.flat();
}

/** Whether a process sees the same files as this one: a folder of the same name in another container is another folder. */
async function isHere(pid: number): Promise<boolean> {
  if (process.platform !== 'linux') return true;
  const spaces = [pid, 'self'].map((one) => readlink(`/proc/${one}/ns/mnt`).catch(() => undefined));
  const [its, ours] = await Promise.all(spaces);
  return its !== undefined && its === ours;
}

/** All processes; undefined where there is no /proc. */
async function listedInProc(): Promise<readonly Listed[] | undefined> {
  const names = await readdir('/proc').catch(() => undefined);
  const pids = names?.filter((name) => /^\d+$/.test(name)).map(Number) ?? [];
  if (pids.length === 0) return undefined;
  const read = async (pid: number): Promise<Listed> => {
    // Empty where it has ended meanwhile.
    const file = (name: string): Promise<string> => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '');
    const [command, stat] = await Promise.all([file('cmdline'), file('stat')]);
    // What comes before the last bracket is the program's name, which may have anything in it.
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? 0);
    return { pid, parent, command: command.replaceAll('\0', ' ').trim() };
  };
  return Promise.all(pids.map(read));
}

async function listedByPs(): Promise<readonly Listed[]> {
  try {
    const { stdout } = await promisify(execFile)('ps', ['-axww', '-o', 'pid=,ppid=,command='], { timeout: 5_000 });
    return stdout.split('\n').flatMap((line) => {
      const [, pid, parent, command] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
      return command === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), command: command.trim() }];
    });
  } catch {
    return [];
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

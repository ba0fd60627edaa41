import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** The folder of this repository. */
export const repository = join(import.meta.dirname, '../..');
const launcher = join(repository, 'bin/pouw.js');
/** How long a start may take on a machine that is busy with other tests. */
const readyTimeoutMs = 120_000;

/** How a process ended and what it said. */
export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The line that `pouw start --json` prints. */
export interface ReadyLine {
  readonly url: string;
  readonly apiKey: string;
  readonly model: string;
  readonly rpcUrl: string;
  readonly data: string;
}

/** A `pouw` that runs as a child of the tests. */
export interface PouwProcess {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** What it has printed so far. */
  printed(): string;
  /** What it has said so far to who watches it, on its error output. */
  said(): string;
  kill(signal: NodeJS.Signals): void;
  /** Stops reading what it prints, as a terminal that is closed does. */
  leave(): void;
}

const running = new Set<ChildProcess>();

/**
 * Starts `pouw` with arguments on the Node of the tests, so that its process id is the child's own.
 *
 * @param through a command line that replaces itself by what is appended to it.
 */
export function spawnPouw(
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  through: readonly string[] = [],
): PouwProcess {
  const [program = process.execPath, ...rest] = [...through, process.execPath, launcher, ...args];
  const child = spawn(program, rest, {
    cwd: repository,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = once(child, 'close').then(([code, signal]: (number | string | null)[]): Ended => {
    running.delete(child);
    return { code: code as number | null, signal: signal as string | null, stdout, stderr };
  });
  const leave = (): void => {
    child.stdout.destroy();
    child.stderr.destroy();
  };
  return {
    pid: child.pid ?? 0,
    ended,
    printed: () => stdout,
    said: () => stderr,
    kill: (signal) => void child.kill(signal),
    leave,
  };
}

/** Runs a command of `pouw` to its end. */
export function runPouw(
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  through: readonly string[] = [],
): Promise<Ended> {
  return spawnPouw(args, environment, through).ended;
}

/** A network that `pouw start --json` runs on a data directory. */
export interface StartedPouw extends PouwProcess {
  readonly ready: ReadyLine;
}

/** Starts a network on a free port and waits until it is ready. */
export async function startPouw(data: string, args: readonly string[] = []): Promise<StartedPouw> {
  const pouw = spawnPouw(['start', '--json', '--port', '0', '--data', data, ...args]);
  const line = await firstLine(pouw, (text) => text.includes('\n'));
  return { ...pouw, ready: JSON.parse(line) as ReadyLine };
}

/** Waits until a process has printed what is looked for; fails with what it said where it ends before. */
export async function firstLine(pouw: PouwProcess, isThere: (printed: string) => boolean): Promise<string> {
  const giveUp = new AbortController();
  const early = pouw.ended.then(({ code, signal, stderr }) => {
    throw new Error(`pouw ended with ${signal ?? code} before it was ready:\n${stderr}`);
  });
  const seen = async (): Promise<string> => {
    const giveUpAt = performance.now() + readyTimeoutMs;
    while (!isThere(pouw.printed())) {
      if (performance.now() > giveUpAt) throw new Error(`pouw was not ready within ${readyTimeoutMs / 1_000} s`);
      await sleep(10, undefined, { signal: giveUp.signal });
    }
    return pouw.printed();
  };
  try {
    return await Promise.race([seen(), early]);
  } finally {
    giveUp.abort();
    early.catch(() => undefined);
  }
}

/** The process id of the anvil on a data directory. */
export function anvilPid(data: string): number {
  const record = JSON.parse(readFileSync(join(data, 'chain', 'anvil.json'), 'utf8')) as { pid: number };
  return record.pid;
}

/** Processes that name a folder on their command line, this one left out; only where the system has `/proc`. */
export function processesNaming(folder: string): number[] {
  if (process.platform !== 'linux') return [];
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const named = pids.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder);
    } catch {
      return false; // It ended meanwhile.
    }
  });
  return named.map(Number).filter((pid) => pid !== process.pid);
}

/** Ends every process that tests have started here, and what these have left on a data directory. */
export async function killLeftovers(data: string): Promise<void> {
  for (const child of running) child.kill('SIGKILL');
  for (const pid of processesNaming(data)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended, as it should have.
    }
  }
  while (processesNaming(data).length > 0) await sleep(10);
}

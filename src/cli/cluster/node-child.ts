import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endWithUs } from '../../adapters/process/end-with-us.ts';
import { PouwError } from '../../core/errors.ts';
import type { Role } from '../../core/ids.ts';

/** How to run a node as a process of its own. */
export interface NodeChildOptions {
  readonly role: Role;
  readonly name: string;
  /** Its data folder. */
  readonly folder: string;
  /** Its configuration file. */
  readonly config: string;
}

/** What a node prints when it is ready. */
export type NodeReady = Readonly<Record<string, string>>;

/** How long a node may take to be ready on a busy machine. */
const readyWithinMs = 120_000;
/** How long it may take to end in good order before it is killed. */
const stopWithinMs = 20_000;

const program = fileURLToPath(new URL('../main.ts', import.meta.url));

/** A node that runs as our child, and comes back on the same folder after it was killed. */
export class NodeChild {
  readonly options: NodeChildOptions;
  #process: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #ready: NodeReady | undefined;

  constructor(options: NodeChildOptions) {
    this.options = options;
  }

  /** What it said when it was last ready. */
  get ready(): NodeReady {
    return this.#ready ?? {};
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get isRunning(): boolean {
    return this.#process !== undefined;
  }

  /** Starts it and waits until it is ready. @throws PouwError `node_failed` with where to look. */
  async start(): Promise<NodeReady> {
    const { role, config, folder, name } = this.options;
    if (this.#process !== undefined) throw new Error(`${name} runs already, and would be left running`);
    const errors = openSync(join(folder, 'stderr.log'), 'a');
    const child = spawn(process.execPath, [program, role, '--config', config, '--json'], {
      stdio: ['ignore', 'pipe', errors],
      env: withoutSettings(process.env),
    });
    closeSync(errors);
    endWithUs(child);
    this.#process = child;
    this.#exited = new Promise((resolve) => {
      child.once('exit', () => {
        if (this.#process === child) this.#process = undefined;
        resolve();
      });
    });
    const line = await Promise.race([firstLine(child), this.#exited.then(() => undefined), after(readyWithinMs)]);
    if (line === undefined) {
      await this.kill();
      throw new PouwError('node_failed', `${name} did not become ready.`, {
        class: 'unavailable',
        hint: `Look into ${join(folder, 'stderr.log')} and pouw.log beside it.`,
      });
    }
    this.#ready = JSON.parse(line) as NodeReady;
    return this.#ready;
  }

  /** Ends it as a power failure would. */
  async kill(): Promise<void> {
    this.#process?.kill('SIGKILL');
    await this.#exited;
  }

  /** Has it stand still, or go on. */
  pause(isPaused: boolean): void {
    this.#process?.kill(isPaused ? 'SIGSTOP' : 'SIGCONT');
  }

  /** Ends it in good order, by force after some seconds. */
  async stop(): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    child.kill('SIGCONT');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), stopWithinMs);
    await this.#exited;
    clearTimeout(timer);
  }
}

function firstLine(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = '';
    child.stdout?.on('data', (bytes: Buffer) => {
      text += bytes.toString('utf8');
      const end = text.indexOf('\n');
      if (end >= 0) resolve(text.slice(0, end));
    });
    child.once('error', () => resolve(undefined));
  });
}

function after(ms: number): Promise<undefined> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms, undefined).unref();
  });
}

/** Variables that set nothing of a node. */
const kept: ReadonlySet<string> = new Set(['POUW_CACHE', 'POUW_ENDS_WITH_PARENT']);

/** The environment without the settings of a node: one of a cluster has its own by its file, which they would go before. */
export function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const entries = Object.entries(environment);
  return Object.fromEntries(entries.filter(([name]) => !name.startsWith('POUW_') || kept.has(name)));
}

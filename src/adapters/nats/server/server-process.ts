import { type ChildProcess, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorMessage, PouwError } from '../../../core/errors.ts';
import { endWithUs } from '../../process/end-with-us.ts';
import { makeFolder } from '../../process/make-folder.ts';
import { freePort } from '../../process/port.ts';
import { type ProcessRecord, removeProcessRecord, writeProcessRecord } from '../../process/process-record.ts';
import { thisOwner } from '../../process/running-process.ts';
import { type NatsServerSettings, renderServerConfig } from './server-config.ts';
import { clearStaleNats, natsConfigFile, natsInUse, natsRecordFile } from './server-record.ts';

/** How to start a server for local use. */
export interface NatsServerOptions {
  /** The server's folder: its configuration, its log and its store; made where it is missing. */
  readonly directory: string;
  /** The server program, from `findNatsServer`. */
  readonly program: string;
  /** What differs from a server with JetStream on 127.0.0.1 with free ports that takes anybody. */
  readonly settings?: Partial<NatsServerSettings>;
  /** Writes the configuration. Default `renderServerConfig`. */
  readonly render?: (settings: NatsServerSettings) => string;
  /** Whether to wait until it answers. Default true; members of a cluster answer together. */
  readonly untilReady?: boolean;
  /** Told when a server that outlived its pouw was found and stopped. */
  readonly onStale?: (stale: Pick<ProcessRecord, 'pid'>) => void;
  /** Told when it ends without having been told to. */
  readonly onLost?: (exit: NatsServerExit) => void;
}

/** How a server ended. */
export interface NatsServerExit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A server that runs as our child. Whatever became of its process, `restart` brings it back on its ports and store. */
export interface NatsServer {
  /** What clients connect to; `tls://…` where it has a certificate. */
  readonly url: string;
  readonly settings: NatsServerSettings;
  readonly directory: string;
  readonly logFile: string;
  /** The process; undefined while it is down. */
  readonly pid: number | undefined;
  /** Whether it serves: it has recovered its streams and, in a cluster, found the others. */
  isReady(): Promise<boolean>;
  /** Resolves when it serves. @throws PouwError `nats_server_failed` with the end of its log. */
  untilReady(): Promise<void>;
  /** Ends it in good order, or by force after some seconds. */
  stop(): Promise<void>;
  /** Ends it at once, as a power failure would its process. */
  kill(): Promise<void>;
  /** Starts it again with the same ports and store; stops it before where it runs. */
  restart(): Promise<void>;
  /** Freezes the process: connections stay, and a moment later nothing moves. */
  pause(): void;
  /** Lets a frozen process go on. */
  resume(): void;
}

/** How long it may take until it answers: recovering a large store takes a while. */
const startTimeoutMs = 60_000;
/** How long it may take to end before it is killed. */
const stopTimeoutMs = 10_000;
const healthTimeoutMs = 2_000;
const outputCharsMax = 4_096;
/** How often other ports are tried where somebody took one between looking and starting. */
const portTriesMax = 3;

/** Folders on which this process runs a server. */
const directoriesInUse = new Set<string>();

/**
 * Starts a server on 127.0.0.1 with a store of its own. One left over on the same folder is stopped first.
 *
 * @throws PouwError `nats_server_failed`, `nats_server_missing`, `nats_in_use`, `stale_nats`, `no_free_port`,
 *   `data_unwritable`.
 */
export async function startNatsServer(options: NatsServerOptions): Promise<NatsServer> {
  const directory = resolve(options.directory);
  if (directoriesInUse.has(directory)) throw natsInUse(directory, process.pid);
  directoriesInUse.add(directory);
  try {
    await makeFolder(directory);
    const stale = await clearStaleNats(directory);
    if (stale !== undefined) options.onStale?.(stale);
    const mayMove = options.settings?.port === undefined;
    for (let tries = 1; ; tries++) {
      const server = new NatsServerProcess(directory, await settingsOf(directory, options), options);
      try {
        await server.start();
        return server;
      } catch (error) {
        await server.kill();
        if (!mayMove || tries >= portTriesMax || !isPortError(error)) throw error;
      }
    }
  } catch (error) {
    directoriesInUse.delete(directory);
    throw error;
  }
}

async function settingsOf(directory: string, { settings = {} }: NatsServerOptions): Promise<NatsServerSettings> {
  return {
    name: 'pouw',
    host: '127.0.0.1',
    logFile: join(directory, 'server.log'),
    jetStream: { directory: join(directory, 'store') },
    ...settings,
    port: settings.port ?? (await freePort()),
    monitorPort: settings.monitorPort ?? (await freePort()),
  };
}

class NatsServerProcess implements NatsServer {
  readonly directory: string;
  readonly settings: NatsServerSettings;
  readonly logFile: string;
  readonly url: string;
  readonly #options: NatsServerOptions;
  #child: ChildProcess | undefined;
  #exited: Promise<NatsServerExit> | undefined;
  #output = '';
  #isEnding = false;

  constructor(directory: string, settings: NatsServerSettings, options: NatsServerOptions) {
    this.directory = directory;
    this.settings = settings;
    this.logFile = settings.logFile ?? '';
    this.url = `${settings.tls === undefined ? 'nats' : 'tls'}://127.0.0.1:${settings.port}`;
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async start(): Promise<void> {
    const file = natsConfigFile(this.directory);
    const render = this.#options.render ?? renderServerConfig;
    await writeFile(file, render(this.settings), { mode: 0o600 });
    directoriesInUse.add(this.directory);
    this.#isEnding = false;
    const child = await spawnServer(this.#options.program, file);
    this.#child = child;
    endWithUs(child);
    this.#exited = this.#watch(child);
    await writeProcessRecord(natsRecordFile(this.directory), {
      pid: child.pid ?? 0,
      port: this.settings.port,
      owner: await thisOwner(),
    });
    if (this.#options.untilReady ?? true) await this.untilReady();
  }

  async isReady(): Promise<boolean> {
    const url = `http://127.0.0.1:${this.settings.monitorPort}/healthz`;
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(healthTimeoutMs) });
      await response.body?.cancel();
      return response.ok;
    } catch {
      return false;
    }
  }

  async untilReady(): Promise<void> {
    const giveUpAt = performance.now() + startTimeoutMs;
    while (performance.now() < giveUpAt) {
      if (this.#child === undefined) throw await this.#failed('It has ended.');
      // Asked of its process too, since another server may answer on the port that this one failed to get.
      if ((await this.isReady()) && this.#child !== undefined) return;
      await sleep(10);
    }
    throw await this.#failed(`It did not answer within ${startTimeoutMs / 1_000} s.`);
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.#isEnding = true;
    const child = this.#child;
    if (child !== undefined) {
      // A frozen process takes a friendly signal only when it goes on.
      child.kill('SIGCONT');
      child.kill(signal);
      const patience = new AbortController();
      const force = sleep(stopTimeoutMs, undefined, { signal: patience.signal }).then(() => child.kill('SIGKILL'));
      await Promise.race([this.#exited, force]);
      await this.#exited;
      patience.abort();
      await force.catch(() => undefined);
    }
    directoriesInUse.delete(this.directory);
    await removeProcessRecord(natsRecordFile(this.directory));
  }

  #watch(child: ChildProcess): Promise<NatsServerExit> {
    this.#output = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#output = (this.#output + text).slice(-outputCharsMax);
    });
    return new Promise((resolveExit) => {
      child.once('close', (code, signal) => {
        this.#child = undefined;
        const exit = { code, signal };
        resolveExit(exit);
        if (!this.#isEnding) this.#options.onLost?.(exit);
      });
    });
  }

  async #failed(why: string): Promise<PouwError> {
    const log = await readFile(this.logFile, 'utf8').catch(() => '');
    const said = [...this.#output.split('\n'), ...log.slice(-outputCharsMax).split('\n')];
    const errors = said.filter((line) => /\[(ERR|FTL)\]|nats-server: /.test(line)).slice(-3);
    return new PouwError('nats_server_failed', 'The NATS server did not start.', {
      class: 'unavailable',
      why: errors.length === 0 ? why : errors.join(' ').trim(),
      hint: `Read ${this.logFile}. If its store is damaged, move the folder ${this.directory} away and start again.`,
      details: { directory: this.directory },
    });
  }
}

function isPortError(error: unknown): boolean {
  return error instanceof PouwError && (error.why ?? '').includes('address already in use');
}

async function spawnServer(program: string, configFile: string): Promise<ChildProcess> {
  // A group of its own: Ctrl-C in the terminal must reach us first, who still need the bus to drain.
  const child = spawn(program, ['--config', configFile], { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  await new Promise<void>((resolveSpawn, reject) => {
    child.once('spawn', resolveSpawn);
    child.once('error', (cause) => {
      reject(
        new PouwError('nats_server_missing', `The NATS server ${program} cannot be started.`, {
          class: 'unavailable',
          why: errorMessage(cause),
          hint: 'Run npm run nats-server to get one, or name a server that runs already with --nats URL.',
          cause,
        }),
      );
    });
  });
  return child;
}

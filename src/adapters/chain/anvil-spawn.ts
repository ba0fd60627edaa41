import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorMessage, PouwError } from '../../core/errors.ts';
import { endWithUs } from '../process/end-with-us.ts';
import { anvilRequest } from './anvil-rpc.ts';
import { foundryBinary } from './foundry-binary.ts';

/** The chain id of a local chain. */
const localChainId = 31_337;

/** How to spawn an anvil. */
export interface SpawnAnvilOptions {
  /** The chain folder: its state is loaded where it has one. */
  readonly directory: string;
  /** The port on 127.0.0.1; a free one where it is left out. */
  readonly port?: number | undefined;
  /** The anvil binary; the one that came with the package where it is left out. */
  readonly binary?: string | undefined;
  /** Told of the process and its port as soon as it runs, long before it may answer. */
  readonly onSpawn?: (spawned: { readonly pid: number; readonly port: number }) => Promise<void>;
}

/** An anvil that answers. */
export interface SpawnedAnvil {
  readonly url: string;
  readonly port: number;
  readonly child: ChildProcess;
  /** Resolves when it has ended. */
  readonly exited: Promise<AnvilExit>;
  /** Whether it has loaded a state; else its chain is new. */
  readonly loaded: boolean;
}

/** How an anvil ended. */
export interface AnvilExit {
  readonly code: number | null;
  readonly signal: string | null;
  /** The end of its error output. */
  readonly errorOutput: string;
}

/** The file of the state in a chain folder. */
export function anvilStateFile(directory: string): string {
  return join(directory, 'state.json');
}

/** The folder for what anvil itself puts on the disk. */
export function anvilCacheFolder(directory: string): string {
  return join(directory, 'anvil-cache');
}

/** Whether a command line is that of an anvil on a chain folder. */
export function isAnvilOn(directory: string, command: string): boolean {
  const isOn = `${command} `.includes(` --cache-path ${anvilCacheFolder(directory)} `);
  return isOn && /(^|[\\/])anvil(\.exe)? --host /.test(command);
}

/** How long it may take until it answers: reading a state of hundreds of megabytes takes a while. */
const startTimeoutMs = 60_000;
const errorOutputCharsMax = 4_096;

/**
 * Spawns an anvil and waits until it answers. It makes no block until it is told to, and puts transactions into one in
 * the order in which they came.
 *
 * @throws PouwError `port_in_use`, `anvil_missing`, `anvil_failed`.
 */
export async function spawnAnvil(options: SpawnAnvilOptions): Promise<SpawnedAnvil> {
  const { directory } = options;
  const port = await claimPort(options.port);
  const loaded = existsSync(anvilStateFile(directory));
  const child = await spawnChild(options.binary ?? foundryBinary('anvil'), anvilArguments(directory, port, loaded));
  const exited = watchExit(child);
  endWithUs(child);
  const url = `http://127.0.0.1:${port}`;
  try {
    await options.onSpawn?.({ pid: child.pid ?? 0, port });
    await untilAnswers(url, exited);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return { url, port, child, exited, loaded };
}

function anvilArguments(directory: string, port: number, loads: boolean): string[] {
  const place = ['--host', '127.0.0.1', '--port', String(port), '--chain-id', String(localChainId)];
  const mining = ['--no-mining', '--order', 'fifo'];
  // States of old blocks serve reorgs and look-backs only; each is a copy of the whole state in memory.
  const memory = ['--prune-history', '64', '--cache-path', anvilCacheFolder(directory)];
  const load = loads ? ['--load-state', anvilStateFile(directory)] : [];
  return [...place, '--balance', '1000000', '--quiet', ...mining, ...memory, ...load];
}

/** A port nobody listens on: the wanted one, or any. Checked before, since anvil's own message is a panic. */
async function claimPort(wanted: number | undefined): Promise<number> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: '127.0.0.1', port: wanted ?? 0, exclusive: true }, resolve);
    });
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  } catch (cause) {
    throw new PouwError('port_in_use', `Port ${wanted ?? 0} on 127.0.0.1 is taken.`, {
      class: 'unavailable',
      why: errorMessage(cause),
      hint: 'Stop what listens there, or choose another port for the chain.',
      cause,
    });
  } finally {
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}

async function spawnChild(binary: string, args: readonly string[]): Promise<ChildProcess> {
  // A group of its own: Ctrl-C in the terminal must reach us first, who still need the chain to drain.
  const child = spawn(binary, args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => {
      reject(
        new PouwError('anvil_missing', 'The local chain cannot be started.', {
          class: 'unavailable',
          why: errorMessage(cause),
          hint: `Run npm ci again: ${binary} comes with the package @foundry-rs/anvil. Or name another chain with --rpc.`,
          cause,
        }),
      );
    });
  });
  return child;
}

function watchExit(child: ChildProcess): Promise<AnvilExit> {
  let errorOutput = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errorOutput = (errorOutput + text).slice(-errorOutputCharsMax);
  });
  return new Promise((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, errorOutput: errorOutput.trim() }));
  });
}

async function untilAnswers(url: string, exited: Promise<AnvilExit>): Promise<void> {
  let exit: AnvilExit | undefined;
  void exited.then((value) => (exit = value));
  const giveUpAt = performance.now() + startTimeoutMs;
  while (performance.now() < giveUpAt) {
    if (exit !== undefined) throw anvilFailed(exit.errorOutput || `It ended with ${exit.signal ?? exit.code}.`);
    if (await answers(url)) return;
    await sleep(10);
  }
  throw anvilFailed(`It did not answer within ${startTimeoutMs / 1_000} s.`);
}

async function answers(url: string): Promise<boolean> {
  return anvilRequest(url, 'eth_chainId').then(
    () => true,
    () => false,
  );
}

/** The `anvil_failed` error. */
export function anvilFailed(why: string): PouwError {
  return new PouwError('anvil_failed', 'The local chain did not start.', {
    class: 'unavailable',
    why,
    hint: 'If its state file is damaged, restore the data directory from a copy, or use another --data directory.',
  });
}

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorMessage, PouwError } from '../../core/errors.ts';
import { thisOwner } from '../process/running-process.ts';
import { removeAnvilRecord, writeAnvilRecord } from './anvil-record.ts';
import { type AnvilSnapshots, startAnvilSnapshots } from './anvil-snapshot.ts';
import { clearStaleAnvil, type StaleAnvil } from './anvil-stale.ts';
import { foundryBinary } from './foundry-binary.ts';

/** The chain id of a local chain. */
export const localChainId = 31_337;

/** How to start a local chain. */
export interface AnvilOptions {
  /** The folder of the chain, `<data>/chain`; made where it is missing. */
  readonly directory: string;
  /** The port on 127.0.0.1; a free one where it is left out. */
  readonly port?: number;
  /** The anvil binary; the one that came with the package where it is left out. */
  readonly binary?: string;
  /** Told when an anvil that outlived its pouw was found and stopped. */
  readonly onStale?: (stale: StaleAnvil) => void;
  /** Told of each failed write of the state; default: nobody. */
  readonly onError?: (error: unknown) => void;
}

/** A local chain that runs as our child. */
export interface AnvilProcess {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Resolves when it has ended, with how and with the end of its error output. */
  readonly exited: Promise<AnvilExit>;
  /** Writes the state to disk now. @throws PouwError `chain_state_unsaved`. */
  save(): Promise<void>;
  /** Writes the state and ends it. @throws PouwError `chain_state_unsaved` after it has ended all the same. */
  stop(): Promise<void>;
}

/** How an anvil ended. */
export interface AnvilExit {
  readonly code: number | null;
  readonly signal: string | null;
  readonly errorOutput: string;
}

/** The file of the state in a chain folder. */
export function anvilStateFile(directory: string): string {
  return join(directory, 'state.json');
}

/** How long it may take until it answers: reading a state of hundreds of megabytes takes a while. */
const startTimeoutMs = 60_000;
/** How long it may take to end before it is killed. */
const stopTimeoutMs = 5_000;
const errorOutputCharsMax = 4_096;

/**
 * Starts anvil on a chain folder: a block for each transaction at once and an empty one each second, so
 * that block time passes. An anvil left over on the same folder is stopped first, its state saved.
 *
 * @throws PouwError `stale_anvil`, `chain_in_use`, `port_in_use`, `data_unwritable`, `anvil_missing`, `anvil_failed`.
 */
export async function startAnvil(options: AnvilOptions): Promise<AnvilProcess> {
  const { directory } = options;
  await makeDirectory(directory);
  const stale = await clearStaleAnvil(directory, anvilStateFile(directory));
  if (stale !== undefined) options.onStale?.(stale);
  const port = await claimPort(options.port);
  const binary = options.binary ?? foundryBinary('anvil');
  const loads = existsSync(anvilStateFile(directory));
  const child = await spawnAnvil(binary, anvilArguments(directory, port, loads));
  const exited = watchExit(child);
  const url = `http://127.0.0.1:${port}`;
  try {
    await untilAnswers(url, exited);
    // The first block is what a chain is told apart by; nobody should have to wait a second for it.
    if (!loads) await request(url, 'evm_mine');
    await writeAnvilRecord(directory, { pid: child.pid ?? 0, port, owner: await thisOwner() });
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  const snapshots = startAnvilSnapshots(url, anvilStateFile(directory), options.onError ?? (() => undefined));
  // Another anvil may soon answer at the same port, and its state is not ours to save.
  void exited.then(() => snapshots.close());
  return {
    url,
    port,
    pid: child.pid ?? 0,
    exited,
    save: () => snapshots.save(),
    stop: () => stopAnvil(child, exited, snapshots, directory),
  };
}

function anvilArguments(directory: string, port: number, loads: boolean): string[] {
  const mining = ['--mixed-mining', '--block-time', '1'];
  // States of old blocks serve reorgs and look-backs only; each is a copy of the whole state in memory.
  const memory = ['--prune-history', '64', '--cache-path', join(directory, 'anvil-cache')];
  const load = loads ? ['--load-state', anvilStateFile(directory)] : [];
  return [
    '--host',
    '127.0.0.1',
    '--port',
    String(port),
    '--chain-id',
    String(localChainId),
    '--balance',
    '1000000',
    '--quiet',
    ...mining,
    ...memory,
    ...load,
  ];
}

async function makeDirectory(directory: string): Promise<void> {
  try {
    await mkdir(join(directory, 'anvil-cache'), { recursive: true });
  } catch (cause) {
    throw new PouwError('data_unwritable', `The folder ${directory} cannot be made.`, {
      class: 'unavailable',
      why: errorMessage(cause),
      hint: 'Name another folder with --data, or change its rights.',
      cause,
    });
  }
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

async function spawnAnvil(binary: string, args: readonly string[]): Promise<ChildProcess> {
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
    if (exit !== undefined) throw failedToStart(exit.errorOutput || `It ended with ${exit.signal ?? exit.code}.`);
    if (await answers(url)) return;
    await sleep(10);
  }
  throw failedToStart(`It did not answer within ${startTimeoutMs / 1_000} s.`);
}

async function answers(url: string): Promise<boolean> {
  return request(url, 'eth_chainId').catch(() => false);
}

async function request(url: string, method: string): Promise<boolean> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: [] });
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(2_000) });
  return response.ok;
}

function failedToStart(why: string): PouwError {
  return new PouwError('anvil_failed', 'The local chain did not start.', {
    class: 'unavailable',
    why,
    hint: 'If its state file is damaged, move the chain folder away and start again.',
  });
}

async function stopAnvil(
  child: ChildProcess,
  exited: Promise<AnvilExit>,
  snapshots: AnvilSnapshots,
  directory: string,
): Promise<void> {
  const ended = child.exitCode !== null || child.signalCode !== null;
  try {
    if (!ended) await snapshots.save();
  } finally {
    await snapshots.close();
    child.kill('SIGTERM');
    const patience = new AbortController();
    await Promise.race([
      exited,
      sleep(stopTimeoutMs, undefined, { signal: patience.signal }).then(() => child.kill('SIGKILL')),
    ]);
    await exited;
    patience.abort();
    await removeAnvilRecord(directory);
  }
}

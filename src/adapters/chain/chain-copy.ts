import { rmSync } from 'node:fs';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { PouwError } from '../../core/errors.ts';
import { type AnvilProcess, startAnvil } from './anvil-process.ts';
import { readProcessRecord } from '../process/process-record.ts';
import { isRunning } from '../process/running-process.ts';
import { anvilStateFile } from './anvil-spawn.ts';
import { anvilRecordFile } from './anvil-stale.ts';
import { blockLogFile } from './block-log.ts';

/** A chain that answers for a moment. */
export interface ChainCopy {
  readonly url: string;
  /** Ends it and removes its folder. */
  close(): Promise<void>;
}

/**
 * The address of the chain that runs on a chain folder now; undefined where none does. Whether it is the
 * right one is for the caller to see.
 */
export async function runningChain(directory: string): Promise<string | undefined> {
  const record = await readProcessRecord(anvilRecordFile(directory));
  return record !== undefined && (await isRunning(record.pid)) ? `http://127.0.0.1:${record.port}` : undefined;
}

/**
 * Starts a chain on a copy of the state in a chain folder, to look something up. The folder itself is only
 * read; the copy is in the system's temporary folder and goes away with the chain, also where this process
 * is told to stop.
 *
 * @throws PouwError `chain_state_missing`; what {@link startAnvil} throws.
 */
export async function copyChain(directory: string): Promise<ChainCopy> {
  const folder = await mkdtemp(join(tmpdir(), 'pouw-chain-'));
  const guard = guardExit(folder);
  try {
    await copyState(directory, folder);
    const anvil = await startAnvil({ directory: folder });
    guard.started(anvil);
    return {
      url: anvil.url,
      close: async () => {
        kill(anvil);
        await anvil.exited;
        await rm(folder, { recursive: true, force: true, maxRetries: 3 });
        guard.release();
      },
    };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    guard.release();
    throw error;
  }
}

async function copyState(directory: string, folder: string): Promise<void> {
  const state = anvilStateFile(directory);
  // First the log: where the state is saved between the two, it only has blocks that the log has too.
  await copyFile(blockLogFile(directory), blockLogFile(folder)).catch(() => undefined);
  try {
    // Saves replace the file, so a copy is of one moment.
    await copyFile(state, anvilStateFile(folder));
  } catch (cause) {
    throw new PouwError('chain_state_missing', `The state of the log's chain cannot be read from ${state}.`, {
      class: 'unavailable',
      why: 'Keys and anchors are on the chain: without it nothing proves who wrote the log, or that it is whole.',
      hint: 'Name the chain with --rpc URL, or restore the chain folder of the data directory.',
      cause,
    });
  }
}

/** Nothing in it is worth saving. */
function kill({ pid }: AnvilProcess): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** Anvil is in a process group of its own: a Ctrl-C does not reach it, so we hand it on. */
function guardExit(folder: string): { started(anvil: AnvilProcess): void; release(): void } {
  let anvil: AnvilProcess | undefined;
  let stopWith: number | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    stopWith = 128 + constants.signals[signal];
    // While it starts it cannot be ended yet: `started` does it.
    if (anvil !== undefined) process.exit(stopWith);
  };
  const onExit = (): void => {
    if (anvil !== undefined) kill(anvil);
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  process.on('exit', onExit);
  return {
    started: (started) => {
      anvil = started;
      if (stopWith !== undefined) process.exit(stopWith);
    },
    release: () => {
      for (const signal of signals) process.off(signal, onSignal);
      process.off('exit', onExit);
    },
  };
}

import { realpath, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { PouwError } from '../../core/errors.ts';
import type { LogMark } from '../../core/log-mark.ts';
import { folderError, makeFolder } from '../process/make-folder.ts';
import { endUnrecorded, removeProcessRecord, writeProcessRecord } from '../process/process-record.ts';
import { commandLine, thisOwner } from '../process/running-process.ts';
import { type AnvilMiner, startAnvilMiner } from './anvil-miner.ts';
import { logOfState, type OfState, restoreChain } from './anvil-restore.ts';
import { anvilRequest } from './anvil-rpc.ts';
import { hashOfState, saveAnvilState } from './anvil-snapshot.ts';
import {
  type AnvilExit,
  anvilFailed,
  anvilCacheFolder,
  anvilStateFile,
  isAnvilOn,
  type SpawnedAnvil,
  spawnAnvil,
} from './anvil-spawn.ts';
import { anvilRecordFile, clearStaleAnvil, type StaleAnvil } from './anvil-stale.ts';
import { startUpkeep, type Upkeep, type WentOn } from './anvil-upkeep.ts';
import { blockLogFile, readBlockLog } from './block-log.ts';
import type { BlockRef } from './block-window.ts';
import { reasonOf } from './rpc-client.ts';

/** How to start a local chain. */
export interface AnvilOptions {
  /** The folder of the chain, `<data>/chain`; made where it is missing. */
  readonly directory: string;
  /** The port on 127.0.0.1; a free one where it is left out. */
  readonly port?: number;
  /** The anvil binary; the one that came with the package where it is left out. */
  readonly binary?: string;
  /** Whether nothing is saved before {@link AnvilProcess.accept}: of a start that is refused the chain knows nothing. */
  readonly held?: boolean;
  /** How far the log is that runs on this chain, for the block log. */
  readonly logMark?: (() => LogMark | undefined) | undefined;
  /** Time between two looks at whether its state is worth saving, in milliseconds. Default 1,000. */
  readonly saveEveryMs?: number;
  /** Told when an anvil that outlived its pouw was found and stopped. */
  readonly onStale?: (stale: StaleAnvil) => void;
  /** Told of `chain_blocks_lost`: the chain is not what it was when it was killed. */
  readonly onLost?: (lost: PouwError) => void;
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
  /** The first block that is not what it was, lost now (then `onLost` was told) or at an earlier start. */
  readonly lostFrom: number | undefined;
  /**
   * Resolves when a block and all before it are on the disk: from then on the chain has them whatever is killed.
   *
   * @throws PouwError `chain_state_unsaved`.
   */
  keep(block: BlockRef): Promise<void>;
  /**
   * Has a chain that was started `held` be saved from now on, and what it has by now.
   *
   * @param isHealed whether nobody was told of blocks that were lost.
   * @throws PouwError `chain_state_unsaved`.
   */
  accept(isHealed: boolean): Promise<void>;
  /** Writes the state to disk now. @throws PouwError `chain_state_unsaved`. */
  save(): Promise<void>;
  /** Writes the state and ends it. @throws PouwError `chain_state_unsaved` after it has ended all the same. */
  stop(): Promise<void>;
}

/** How long it may take to end before it is killed. */
const stopTimeoutMs = 5_000;

/**
 * Starts anvil on a chain folder: a block for each transaction at once and an empty one each second, so that block
 * time passes. An anvil left over on the same folder is stopped first, its state saved. Where the last one was killed,
 * the blocks that it had made after its state was saved are made again.
 *
 * @throws PouwError `stale_anvil`, `chain_in_use`, `port_in_use`, `data_unwritable`, `anvil_missing`, `anvil_failed`,
 *   `chain_state_unsaved`, `chain_parts_mixed`, `chain_blocks_damaged`.
 */
export async function startAnvil(options: AnvilOptions): Promise<AnvilProcess> {
  try {
    await makeFolder(anvilCacheFolder(options.directory), options.directory);
    // One name for a folder that has several: what an earlier start has left there is known by it.
    return await start({ ...options, directory: await realpath(options.directory) });
  } catch (error) {
    throw error instanceof PouwError ? error : (folderError(options.directory, error) ?? error);
  }
}

async function start(options: AnvilOptions): Promise<AnvilProcess> {
  const { directory, port, binary } = options;
  const stale = await clearStaleAnvil(directory, anvilStateFile(directory));
  if (stale !== undefined) options.onStale?.(stale);
  for (const pid of await endUnrecorded((command) => isAnvilOn(directory, command)))
    options.onStale?.({ pid, saved: false });
  // Each anvil makes a folder of its own there and leaves it behind.
  await rm(anvilCacheFolder(directory), { recursive: true, force: true });
  await makeFolder(anvilCacheFolder(directory), directory);
  const state = await hashOfState(anvilStateFile(directory));
  const ofState = logOfState(await readBlockLog(blockLogFile(directory)), state);
  const owner = await thisOwner();
  const onSpawn = async (one: { readonly pid: number; readonly port: number }): Promise<void> =>
    writeProcessRecord(anvilRecordFile(directory), { ...one, owner, command: await commandLine(one.pid) });
  const spawned = await spawnAnvil({ directory, port, binary, onSpawn });
  try {
    const went = await goOn(spawned, ofState, state, options);
    await anvilRequest(spawned.url, 'evm_setAutomine', [true]);
    return await keepUp(spawned, went, options);
  } catch (error) {
    spawned.child.kill('SIGKILL');
    throw error instanceof PouwError ? error : (folderError(directory, error) ?? anvilFailed(reasonOf(error)));
  }
}

/** Brings the chain to where it was, or makes its first block. */
async function goOn(
  { url, loaded }: SpawnedAnvil,
  { log, lostFrom }: OfState,
  hash: string | undefined,
  { directory, onLost }: AnvilOptions,
): Promise<WentOn> {
  if (!loaded) {
    // The first block is what a chain is told apart by: it must be the same after a crash in the first second.
    await anvilRequest(url, 'evm_mine');
    const { base, state } = await saveAnvilState(url, anvilStateFile(directory));
    return { base, blocks: [], state: { hash: state }, isOther: false };
  }
  const { base, blocks, lost } = await restoreChain(url, log);
  if (lost !== undefined) onLost?.(lost.error);
  const from = Math.min(lost?.from ?? Infinity, lostFrom ?? Infinity);
  const state = hash === undefined ? undefined : { hash, ...(from < Infinity && { lostFrom: from }) };
  return { base, blocks, state, isOther: lost !== undefined };
}

async function keepUp(
  { url, port, child, exited }: SpawnedAnvil,
  went: WentOn,
  options: AnvilOptions,
): Promise<AnvilProcess> {
  const { directory, logMark, held = false, saveEveryMs = 1_000, onError = () => undefined } = options;
  const miner = startAnvilMiner(url);
  const upkeep = await startUpkeep({ ...went, url, directory, miner, logMark, saveEveryMs, held, onError });
  // Another anvil may soon answer at the same port, and its blocks and its state are not our business.
  void exited.then(() => Promise.all([miner.close(), upkeep.close()]));
  return {
    url,
    port,
    pid: child.pid ?? 0,
    lostFrom: went.state?.lostFrom,
    exited,
    keep: (block) => upkeep.keep(block),
    accept: (isHealed) => upkeep.accept(isHealed),
    save: () => upkeep.save(),
    stop: () => stopAnvil({ child, exited }, { miner, upkeep }, directory),
  };
}

/** What works on a chain as long as it runs. */
interface Working {
  readonly miner: AnvilMiner;
  readonly upkeep: Upkeep;
}

async function stopAnvil(
  { child, exited }: Pick<SpawnedAnvil, 'child' | 'exited'>,
  { miner, upkeep }: Working,
  directory: string,
): Promise<void> {
  const ended = child.exitCode !== null || child.signalCode !== null;
  try {
    if (!ended && !upkeep.isHeld) await upkeep.save();
  } finally {
    await Promise.all([miner.close(), upkeep.close()]);
    child.kill('SIGTERM');
    const patience = new AbortController();
    await Promise.race([
      exited,
      sleep(stopTimeoutMs, undefined, { signal: patience.signal }).then(() => child.kill('SIGKILL')),
    ]);
    await exited;
    patience.abort();
    await removeProcessRecord(anvilRecordFile(directory));
  }
}

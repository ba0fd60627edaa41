import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { PouwError } from '../../core/errors.ts';
import type { LogMark } from '../../core/log-mark.ts';
import { makeFolder } from '../process/make-folder.ts';
import { removeProcessRecord, writeProcessRecord } from '../process/process-record.ts';
import { thisOwner } from '../process/running-process.ts';
import { type AnvilMiner, startAnvilMiner } from './anvil-miner.ts';
import { requireKnownState, restoreChain } from './anvil-restore.ts';
import { anvilRequest } from './anvil-rpc.ts';
import { type AnvilSnapshots, hashOfState, saveAnvilState, startAnvilSnapshots } from './anvil-snapshot.ts';
import {
  type AnvilExit,
  anvilFailed,
  anvilCacheFolder,
  anvilStateFile,
  type SpawnedAnvil,
  spawnAnvil,
} from './anvil-spawn.ts';
import { anvilRecordFile, clearStaleAnvil, type StaleAnvil } from './anvil-stale.ts';
import { BlockKeeper } from './block-keeper.ts';
import {
  announceState,
  blockLogFile,
  type BlockLogContent,
  type LoggedBlock,
  openBlockLog,
  readBlockLog,
} from './block-log.ts';
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
  /** Whether all blocks are what they were when it was last told of them; else `onLost` was told. */
  readonly isWhole: boolean;
  /**
   * Resolves when a block and all before it are on the disk: from then on the chain has them whatever is killed.
   *
   * @throws PouwError `chain_state_unsaved`.
   */
  keep(block: BlockRef): Promise<void>;
  /** Has a chain that was started `held` be saved from now on. */
  accept(): void;
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
 *   `chain_state_unsaved`, `chain_parts_mixed`.
 */
export async function startAnvil(options: AnvilOptions): Promise<AnvilProcess> {
  const { directory, port, binary } = options;
  await makeFolder(anvilCacheFolder(directory), directory);
  const stale = await clearStaleAnvil(directory, anvilStateFile(directory));
  if (stale !== undefined) options.onStale?.(stale);
  // Each anvil makes a folder of its own there and leaves it behind.
  await rm(anvilCacheFolder(directory), { recursive: true, force: true });
  await makeFolder(anvilCacheFolder(directory), directory);
  const log = await readBlockLog(blockLogFile(directory));
  const state = await hashOfState(anvilStateFile(directory));
  requireKnownState(state, log?.states ?? []);
  const spawned = await spawnAnvil({ directory, port, binary });
  try {
    await writeProcessRecord(anvilRecordFile(directory), {
      pid: spawned.child.pid ?? 0,
      port: spawned.port,
      owner: await thisOwner(),
    });
    const { isWhole, ...went } = await goOn(spawned, log, state, options);
    await anvilRequest(spawned.url, 'evm_setAutomine', [true]);
    return { ...(await keepUp(spawned, went, options)), isWhole };
  } catch (error) {
    spawned.child.kill('SIGKILL');
    throw error instanceof PouwError ? error : anvilFailed(reasonOf(error));
  }
}

interface WentOn {
  /** A block that the saved state has. */
  readonly base: BlockRef;
  /** SHA-256 of the saved state. */
  readonly state: string | undefined;
  /** Those after it that the block log has. */
  readonly blocks?: readonly LoggedBlock[] | undefined;
  readonly isWhole: boolean;
}

/** Brings the chain to where it was, or makes its first block. */
async function goOn(
  { url, loaded }: SpawnedAnvil,
  log: BlockLogContent | undefined,
  state: string | undefined,
  { directory, held, onLost }: AnvilOptions,
): Promise<WentOn> {
  const file = anvilStateFile(directory);
  if (!loaded) {
    // The first block is what a chain is told apart by: it must be the same after a crash in the first second.
    await anvilRequest(url, 'evm_mine');
    return { ...(await saveAnvilState(url, file)), isWhole: true };
  }
  const { newest, isSaved, lost } = await restoreChain(url, log);
  if (lost !== undefined) onLost?.(lost);
  const isWhole = lost === undefined;
  if (isSaved) return { base: newest, state, isWhole };
  if (held === true && isWhole && log !== undefined) return { base: log.base, blocks: log.blocks, state, isWhole };
  const announcing = {
    keep: async () => true,
    announce: (next: string) => announceState(blockLogFile(directory), next),
  };
  return { ...(await saveAnvilState(url, file, { keeper: announcing })), isWhole };
}

async function keepUp(
  spawned: SpawnedAnvil,
  { base, blocks = [], state }: Omit<WentOn, 'isWhole'>,
  options: AnvilOptions,
): Promise<Omit<AnvilProcess, 'isWhole'>> {
  const { directory, logMark, held = false } = options;
  const { url, port, child, exited } = spawned;
  const keeper = new BlockKeeper(
    url,
    await openBlockLog(blockLogFile(directory), base, { blocks, state, logMark }),
    base,
    { blocks, state },
  );
  const miner = startAnvilMiner(url);
  const { saveEveryMs = 1_000, onError = () => undefined } = options;
  const snapshots = startAnvilSnapshots({
    url,
    file: anvilStateFile(directory),
    miner,
    keeper,
    saveEveryMs,
    held,
    onError,
  });
  // Another anvil may soon answer at the same port, and its blocks and its state are not our business.
  void exited.then(() => Promise.all([miner.close(), snapshots.close()]));
  return {
    url,
    port,
    pid: child.pid ?? 0,
    exited,
    keep: (block) => snapshots.keep(block),
    accept: () => snapshots.accept(),
    save: () => snapshots.save(),
    stop: () => stopAnvil(spawned, { miner, snapshots }, directory),
  };
}

/** What works on a chain as long as it runs. */
interface Upkeep {
  readonly miner: AnvilMiner;
  readonly snapshots: AnvilSnapshots;
}

async function stopAnvil(
  { child, exited }: SpawnedAnvil,
  { miner, snapshots }: Upkeep,
  directory: string,
): Promise<void> {
  const ended = child.exitCode !== null || child.signalCode !== null;
  try {
    if (!ended && !snapshots.isHeld) await snapshots.save();
  } finally {
    await Promise.all([miner.close(), snapshots.close()]);
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

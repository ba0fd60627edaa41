import type { LogMark } from '../../core/log-mark.ts';
import type { AnvilMiner } from './anvil-miner.ts';
import { newestBlock } from './anvil-rpc.ts';
import { type AnvilSnapshots, saveAnvilState, startAnvilSnapshots } from './anvil-snapshot.ts';
import { anvilStateFile } from './anvil-spawn.ts';
import { BlockKeeper } from './block-keeper.ts';
import { announceState, blockLogFile, type KnownState, type LoggedBlock, openBlockLog } from './block-log.ts';
import type { BlockRef } from './block-window.ts';

/** A chain as it goes on. */
export interface WentOn {
  /** A block that the saved state has. */
  readonly base: BlockRef;
  /** Those after it that are on the disk. */
  readonly blocks: readonly LoggedBlock[];
  /** The saved state. */
  readonly state: KnownState | undefined;
  /** Whether what is on the disk leads to another chain than this one, which has lost blocks. */
  readonly isOther: boolean;
}

/** What upkeep stands on. */
export interface UpkeepParts extends WentOn {
  readonly url: string;
  readonly directory: string;
  readonly miner: AnvilMiner;
  readonly logMark?: (() => LogMark | undefined) | undefined;
  readonly saveEveryMs: number;
  /** Whether nothing is written before {@link Upkeep.accept}. */
  readonly held: boolean;
  readonly onError: (error: unknown) => void;
}

/** Keeps a chain on the disk. */
export interface Upkeep {
  /** {@link AnvilSnapshots.keep}; nothing while it is held. */
  keep(block: BlockRef): Promise<void>;
  /** {@link AnvilSnapshots.save}; while it is held, it is done with the acceptance. */
  save(): Promise<void>;
  /**
   * Writes from now on, and what it was held from before it resolves.
   *
   * @param isHealed whether nobody was told of blocks that were lost; else the folder says that there are some.
   * @throws PouwError `chain_state_unsaved`.
   */
  accept(isHealed: boolean): Promise<void>;
  readonly isHeld: boolean;
  close(): Promise<void>;
}

/**
 * Begins the upkeep of a chain. A start that may be refused is held: whatever it is refused for, the chain folder is as it
 * was, and what was wrong can be put right.
 */
export async function startUpkeep(parts: UpkeepParts): Promise<Upkeep> {
  const { url, held } = parts;
  let running: Running | undefined;
  let isSaveDue = false;
  let isClosed = false;
  if (!held) running = await begin(parts);
  return {
    keep: async (block) => running?.snapshots.keep(block),
    save: async () => {
      if (running === undefined) isSaveDue = true;
      else await running.snapshots.save();
    },
    accept: async (isHealed) => {
      if (isClosed) return;
      running ??= await begin(parts);
      if (isHealed) running.keeper.heal();
      if (isSaveDue) await running.snapshots.save();
      else await running.snapshots.keep(await newestBlock(url));
      isSaveDue = false;
    },
    get isHeld() {
      return running === undefined;
    },
    close: async () => {
      isClosed = true;
      await running?.snapshots.close();
    },
  };
}

interface Running {
  readonly keeper: BlockKeeper;
  readonly snapshots: AnvilSnapshots;
}

async function begin(parts: UpkeepParts): Promise<Running> {
  const { url, directory, miner, logMark, saveEveryMs, onError } = parts;
  const file = anvilStateFile(directory);
  const { base, blocks, state } = parts.isOther ? await saveOther(parts) : parts;
  const log = await openBlockLog(blockLogFile(directory), base, { blocks, state, logMark });
  const keeper = new BlockKeeper(url, log, base, { blocks, state });
  return { keeper, snapshots: startAnvilSnapshots({ url, file, miner, keeper, saveEveryMs, onError }) };
}

/** The block log leads to another chain, so the state goes first, announced in it as another. */
async function saveOther({ url, directory, miner, state }: UpkeepParts): Promise<Omit<WentOn, 'isOther'>> {
  const lostFrom = state?.lostFrom;
  const announce = (hash: string): Promise<void> => announceState(blockLogFile(directory), { hash, lostFrom });
  const keeper = { keep: async () => true, announce };
  const saved = await saveAnvilState(url, anvilStateFile(directory), { miner, keeper });
  return { base: saved.base, blocks: [], state: { hash: saved.state, lostFrom } };
}

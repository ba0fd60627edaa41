import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { errorMessage, PouwError } from '../../core/errors.ts';
import { type Hex, hexToBytes, sha256 } from '../../core/hash.ts';
import type { AnvilMiner } from './anvil-miner.ts';
import { type AnvilBlock, anvilBlock, newestBlock } from './anvil-rpc.ts';
import type { BlockKeeper, SavedState } from './block-keeper.ts';
import type { BlockRef } from './block-window.ts';
import { replaceFile } from './replace-file.ts';

/** How long a state may be written: a chain of many thousand tasks has hundreds of megabytes. */
const dumpTimeoutMs = 60_000;
/** A dump may take this part of the time at most; the bigger the state, the rarer it is written. */
const dumpShare = 1 / 20;
/** How often a state is read again where a block came in between. */
const dumpAttemptsMax = 5;

const unzip = promisify(gunzip);

/** Anvil's whole state, packed. Without a bound on the answer's size, which our other requests have. */
async function dumpState(url: string): Promise<Hex> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'anvil_dumpState', params: [] }),
    signal: AbortSignal.timeout(dumpTimeoutMs),
  });
  const answer = (await response.json()) as { result?: Hex; error?: { message?: string } };
  if (answer.result === undefined) throw new Error(answer.error?.message ?? 'anvil gave no state');
  return answer.result;
}

/**
 * The state, and a block that it has at least. Anvil reads blocks and balances one after the other: what comes in
 * between may be in one of them only. Empty blocks do no harm, they are made again.
 */
async function readState(url: string): Promise<{ readonly dump: Hex; readonly base: BlockRef }> {
  for (let attempt = 1; attempt <= dumpAttemptsMax; attempt += 1) {
    const base = await newestBlock(url);
    const dump = await dumpState(url);
    if (await isQuietSince(url, base)) return { dump, base };
  }
  throw new Error('blocks with transactions came all the time, although nobody should make any');
}

async function isQuietSince(url: string, base: BlockRef): Promise<boolean> {
  let block: AnvilBlock | undefined = await newestBlock(url);
  while (block !== undefined && block.number > base.number && block.transactions.length === 0)
    block = await anvilBlock(url, block.number - 1);
  return block?.hash === base.hash;
}

/** SHA-256 of a saved state; undefined where there is none. */
export async function hashOfState(file: string): Promise<string | undefined> {
  if (!existsSync(file)) return undefined;
  const hash = createHash('sha256');
  for await (const part of createReadStream(file)) hash.update(part as Uint8Array);
  return hash.digest('hex');
}

/**
 * Writes anvil's whole state to `file`, which is at any time the old one or the new one. Anvil's own
 * `--state-interval` truncates the file and writes it in place, so a kill at the wrong moment leaves half a state.
 *
 * @param by `miner` holds the blocks while the state is read; without one, nobody makes any. `keeper` has those with
 *   transactions, and the state's hash, before the state is there.
 * @throws PouwError `chain_state_unsaved`.
 */
export async function saveAnvilState(
  url: string,
  file: string,
  { miner, keeper }: { readonly miner?: AnvilMiner; readonly keeper?: Pick<BlockKeeper, 'keep' | 'announce'> } = {},
): Promise<SavedState> {
  try {
    const read = (): ReturnType<typeof readState> => readState(url);
    const { dump, base } = await (miner === undefined ? read() : miner.still(read));
    const bytes = await unzip(hexToBytes(dump));
    const state = sha256(bytes);
    await keeper?.keep(base);
    await keeper?.announce(state);
    await replaceFile(file, bytes);
    return { base, state };
  } catch (cause) {
    throw unsaved(file, cause);
  }
}

function unsaved(file: string, cause: unknown): PouwError {
  return new PouwError('chain_state_unsaved', `The state of the local chain could not be written to ${file}.`, {
    class: 'unavailable',
    why: errorMessage(cause),
    hint: 'Check that the disk has room and that anvil still runs.',
    cause,
  });
}

/** What saves the state of a chain that runs. */
export interface SnapshotParts {
  readonly url: string;
  readonly file: string;
  readonly miner: AnvilMiner;
  readonly keeper: BlockKeeper;
  /** Time between two looks at the chain, in milliseconds. */
  readonly saveEveryMs: number;
  /** Hears of each failed save; the next one is tried all the same. */
  readonly onError: (error: unknown) => void;
}

/** Sees to it that nothing of a chain is lost: blocks one by one, the state a moment after each change. */
export interface AnvilSnapshots {
  /** Puts a block and all before it on the disk. @throws PouwError `chain_state_unsaved`. */
  keep(block: BlockRef): Promise<void>;
  /** Saves now; waits for a save that is under way. @throws PouwError `chain_state_unsaved`. */
  save(): Promise<void>;
  close(): Promise<void>;
}

/** Starts saving. */
export function startAnvilSnapshots(parts: SnapshotParts): AnvilSnapshots {
  const { url, file, miner, keeper, saveEveryMs, onError } = parts;
  const stop = new AbortController();
  let busy: Promise<void> = Promise.resolve();
  const save = (): Promise<void> => {
    const next = busy.then(async () => keeper.restart(await saveAnvilState(url, file, { miner, keeper })));
    busy = next.catch(() => undefined);
    return next;
  };
  const run = async (): Promise<void> => {
    for (let waitMs = saveEveryMs; await pause(waitMs, stop.signal);) {
      const startedAt = performance.now();
      try {
        if (!(await keeper.look()) || keeper.isDue) await save();
      } catch (error) {
        if (!stop.signal.aborted) onError(error);
      }
      waitMs = Math.max(saveEveryMs, (performance.now() - startedAt) / dumpShare);
    }
  };
  const running = run();
  return {
    keep: async (block) => {
      const kept = await keeper.keep(block).catch((cause: unknown) => {
        throw unsaved(file, cause);
      });
      if (!kept) await save();
    },
    save,
    close: async () => {
      stop.abort();
      await running;
      await busy;
      await keeper.close();
    },
  };
}

/** Waits; false when it was told to stop. */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  return sleep(ms, true, { signal }).catch(() => false);
}

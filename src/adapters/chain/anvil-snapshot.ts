import { open, rename } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { errorMessage, PouwError } from '../../core/errors.ts';
import { type Hex, hexToBytes } from '../../core/hash.ts';

/** How long a state may be written: a chain of many thousand tasks has hundreds of megabytes. */
const dumpTimeoutMs = 60_000;
/** Time between two looks at the chain. */
const intervalMs = 1_000;
/** A dump may take this part of the time at most; the bigger the state, the rarer it is written. */
const dumpShare = 1 / 20;

const unzip = promisify(gunzip);

/** One request without retries and without a bound on the answer's size, which viem's transport has. */
async function anvilRequest(
  url: string,
  method: string,
  params: readonly unknown[],
  timeoutMs: number,
): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    signal: AbortSignal.timeout(timeoutMs),
  });
  const answer = (await response.json()) as { result?: unknown; error?: { message?: string } };
  if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message ?? 'refused'}`);
  return answer.result;
}

/**
 * Writes anvil's whole state to `file`: a new file, synced, then renamed. anvil's own `--state-interval`
 * truncates the file and writes it in place, so a kill at the wrong moment leaves half a state.
 *
 * @throws PouwError `chain_state_unsaved`.
 */
export async function saveAnvilState(url: string, file: string): Promise<void> {
  try {
    const dump = await anvilRequest(url, 'anvil_dumpState', [], dumpTimeoutMs);
    const state = await unzip(hexToBytes(dump as Hex));
    const handle = await open(`${file}.new`, 'w');
    try {
      await handle.writeFile(state);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(`${file}.new`, file);
  } catch (cause) {
    throw new PouwError('chain_state_unsaved', `The state of the local chain could not be written to ${file}.`, {
      class: 'unavailable',
      why: errorMessage(cause),
      hint: 'Check that the disk has room and that anvil still runs.',
      cause,
    });
  }
}

/** Saves the state about a second after each change. */
export interface AnvilSnapshots {
  /** Saves now; waits for a save that is under way. */
  save(): Promise<void>;
  close(): Promise<void>;
}

/** Starts saving; `onError` hears of each failed save, the next one is tried all the same. */
export function startAnvilSnapshots(url: string, file: string, onError: (error: unknown) => void): AnvilSnapshots {
  const stop = new AbortController();
  let savedBlock = 0;
  let busy: Promise<void> = Promise.resolve();
  const save = (): Promise<void> => {
    const next = busy.then(async () => {
      // Read before the dump: what comes between the two is saved twice rather than never.
      const { number } = await header(url, 'latest');
      await saveAnvilState(url, file);
      savedBlock = number;
    });
    busy = next.catch(() => undefined);
    return next;
  };
  const loop = async (): Promise<void> => {
    for (let waitMs = intervalMs; await pause(waitMs, stop.signal);) {
      const startedAt = performance.now();
      try {
        if (await hasTransactionsSince(url, savedBlock)) await save();
      } catch (error) {
        if (!stop.signal.aborted) onError(error);
      }
      waitMs = Math.max(intervalMs, (performance.now() - startedAt) / dumpShare);
    }
  };
  const running = loop();
  return {
    save,
    close: async () => {
      stop.abort();
      await running;
      await busy;
    },
  };
}

/** How many blocks are looked at for transactions; more than an idle chain makes between two looks. */
const scannedBlocksMax = 16;
/** The root of no transactions: keccak-256 of the empty trie. */
const emptyTrie = '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421';

/** Empty blocks are not worth a dump. */
async function hasTransactionsSince(url: string, saved: number): Promise<boolean> {
  const latest = await header(url, 'latest');
  const oldest = Math.max(saved + 1, latest.number - scannedBlocksMax + 1);
  for (let number = latest.number; number >= oldest; number -= 1) {
    const block = number === latest.number ? latest : await header(url, number);
    if (block.transactionsRoot !== emptyTrie) return true;
  }
  return false;
}

async function header(url: string, block: number | 'latest'): Promise<{ number: number; transactionsRoot: unknown }> {
  const tag = block === 'latest' ? block : `0x${block.toString(16)}`;
  const answer = await anvilRequest(url, 'eth_getBlockByNumber', [tag, false], 5_000);
  const { number, transactionsRoot } = answer as { number: string; transactionsRoot: unknown };
  return { number: Number(number), transactionsRoot };
}

/** Waits; false when it was told to stop. */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  return sleep(ms, true, { signal }).catch(() => false);
}

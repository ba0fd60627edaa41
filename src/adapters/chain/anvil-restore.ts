import { PouwError } from '../../core/errors.ts';
import { anvilBlock, anvilRequest, hasBlock, newestBlock } from './anvil-rpc.ts';
import type { LoggedBlock, BlockLogContent } from './block-log.ts';
import type { BlockRef } from './block-window.ts';
import { reasonOf } from './rpc-client.ts';

/** A chain that goes on. */
export interface RestoredChain {
  /** Its newest block. */
  readonly newest: BlockRef;
  /** Whether the saved state has it; else it was made again just now. */
  readonly isSaved: boolean;
  /** `chain_blocks_lost` where some blocks are not what they were. */
  readonly lost?: PouwError;
}

/**
 * Makes an anvil that has just loaded a state the chain that it was when it was killed. Every block is made of its
 * transactions with its time and its base fee; anvil derives the rest from the block before, so that its hash tells
 * whether all is as it was.
 */
export async function restoreChain(url: string, log: BlockLogContent | undefined): Promise<RestoredChain> {
  await recallBlockHashes(url);
  const loaded = await newestBlock(url);
  const restored = log === undefined ? { newest: loaded, isSaved: true } : await restoreBlocks(url, loaded, log);
  // From here on block time is the clock's again.
  await anvilRequest(url, 'evm_setTime', [Math.floor(Date.now() / 1_000)]);
  return restored;
}

/**
 * An anvil that has loaded a state does not know the hashes of its blocks when a contract asks for them; after a
 * rollback it does. The block that is rolled back is there for that only.
 */
async function recallBlockHashes(url: string): Promise<void> {
  await anvilRequest(url, 'evm_mine');
  await anvilRequest(url, 'anvil_rollback', [1]);
}

async function restoreBlocks(url: string, loaded: BlockRef, { base, blocks }: BlockLogContent): Promise<RestoredChain> {
  const shared = [base, ...blocks].findLast(({ number }) => number <= loaded.number);
  if (shared === undefined || !(await hasBlock(url, shared)))
    throw partsMixed('is not the one that its block log goes on from', loaded.number, older);
  const missing = blocks.filter(({ number }) => number > loaded.number);
  if (missing.length === 0) {
    await requireEmpty(url, (blocks.at(-1) ?? base).number + 1, loaded.number);
    return { newest: loaded, isSaved: true };
  }
  try {
    for (const block of missing) await makeAgain(url, block);
  } catch (error) {
    const newest = await newestBlock(url);
    return { newest, isSaved: false, lost: lostFrom(newest.number + 1, reasonOf(error)) };
  }
  const changed = await firstChanged(url, missing);
  const lost = changed === undefined ? {} : { lost: lostFrom(changed, unlogged) };
  return { newest: await newestBlock(url), isSaved: false, ...lost };
}

/**
 * A saved state is the one that its block log goes on from, or one that was about to be saved; a log of an older pouw
 * names none.
 *
 * @throws PouwError `chain_parts_mixed`.
 */
export function requireKnownState(state: string | undefined, states: readonly string[]): void {
  if (state === undefined || states.length === 0 || states.includes(state)) return;
  throw partsMixed('is not the one that its block log goes on from', 0, 'It was changed, or is of another time.');
}

/**
 * A state is not saved before its blocks are in the block log, but for empty ones.
 *
 * @throws PouwError `chain_parts_mixed`.
 */
async function requireEmpty(url: string, from: number, to: number): Promise<void> {
  for (let number = from; number <= to; number += 1) {
    if ((await anvilBlock(url, number))?.transactions.length === 0) continue;
    const why = `Block ${number} has transactions, and the block log ends before it.`;
    throw partsMixed('is newer than its block log', number, why);
  }
}

function partsMixed(what: string, block: number, why: string): PouwError {
  return new PouwError('chain_parts_mixed', `The saved state of the local chain ${what}.`, {
    class: 'corrupt',
    why,
    hint: 'Restore the whole data directory from one copy, or use another --data directory.',
    details: { block },
  });
}

const older = 'A state is saved before its block log is begun anew, so it is older, or of another chain.';
const unlogged = 'Something other than a signed transaction has changed the chain.';

async function makeAgain(url: string, { timestamp, baseFeePerGas, raw }: LoggedBlock): Promise<void> {
  await anvilRequest(url, 'evm_setNextBlockTimestamp', [timestamp]);
  await anvilRequest(url, 'anvil_setNextBlockBaseFeePerGas', [baseFeePerGas]);
  for (const tx of raw) await anvilRequest(url, 'eth_sendRawTransaction', [tx]);
  await anvilRequest(url, 'evm_mine');
}

/** The first block with another hash than it had. All after one differ too, so mostly the last one tells. */
async function firstChanged(url: string, blocks: readonly LoggedBlock[]): Promise<number | undefined> {
  const last = blocks.at(-1);
  if (last === undefined || (await hasBlock(url, last))) return undefined;
  for (const block of blocks) if (!(await hasBlock(url, block))) return block.number;
  return undefined;
}

function lostFrom(number: number, why: string): PouwError {
  return new PouwError('chain_blocks_lost', `The local chain is not what it was from block ${number} on.`, {
    class: 'corrupt',
    why,
    hint: 'The network takes it as a reorg and sends its own transactions again; see whether those of other wallets are there.',
    details: { block: number },
  });
}

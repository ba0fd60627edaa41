import { PouwError } from '../../core/errors.ts';
import { anvilBlock, anvilRequest, hasBlock, newestBlock } from './anvil-rpc.ts';
import type { BlockLogContent, KnownState, LoggedBlock } from './block-log.ts';
import type { BlockRef } from './block-window.ts';
import { reasonOf } from './rpc-client.ts';

/** A chain that goes on. */
export interface RestoredChain {
  /** A block that the saved state has. */
  readonly base: BlockRef;
  /** Those after it that were made again; empty where they are not what they were. */
  readonly blocks: readonly LoggedBlock[];
  /** `chain_blocks_lost` where some blocks are not what they were. */
  readonly lost?: { readonly from: number; readonly error: PouwError };
}

/**
 * Makes an anvil that has just loaded a state the chain that it was when it was killed. Every block is made of its
 * transactions with its time and its base fee; anvil derives the rest from the block before, so that its hash tells
 * whether all is as it was.
 */
export async function restoreChain(url: string, log: BlockLogContent | undefined): Promise<RestoredChain> {
  await recallBlockHashes(url);
  const loaded = await newestBlock(url);
  const restored = log === undefined ? { base: loaded, blocks: [] } : await restoreBlocks(url, loaded, log);
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
    return { base: loaded, blocks: [] };
  }
  try {
    for (const block of missing) await makeAgain(url, block);
  } catch (error) {
    return { base: loaded, blocks: [], lost: lostFrom((await newestBlock(url)).number + 1, reasonOf(error)) };
  }
  const changed = await firstChanged(url, missing);
  if (changed !== undefined) return { base: loaded, blocks: [], lost: lostFrom(changed, unlogged) };
  return { base, blocks };
}

/**
 * What a block log says of the saved state. A state that was saved after blocks were lost has others in their place: the
 * log that has announced it may not have been begun anew.
 *
 * @throws PouwError `chain_parts_mixed`.
 */
export function logOfState(log: BlockLogContent | undefined, state: string | undefined): OfState {
  requireKnownState(state, log?.states ?? []);
  const index = log?.states.findIndex(({ hash }) => hash === state) ?? -1;
  const lost = log?.states[index]?.lostFrom;
  if (log === undefined || lost === undefined) return { log, lostFrom: undefined };
  return index === 0 ? { log, lostFrom: lost } : { log: undefined, lostFrom: lost };
}

/** {@link logOfState} */
export interface OfState {
  /** Undefined where it is of blocks that were lost. */
  readonly log: BlockLogContent | undefined;
  /** The first block that was lost at an earlier start; whoever was told of it may not know yet. */
  readonly lostFrom: number | undefined;
}

/**
 * A saved state is the one that its block log goes on from, or one that was about to be saved; a log of an older pouw
 * names none.
 */
function requireKnownState(state: string | undefined, states: readonly KnownState[]): void {
  if (state === undefined || states.length === 0 || states.some(({ hash }) => hash === state)) return;
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

function lostFrom(from: number, why: string): NonNullable<RestoredChain['lost']> {
  const error = new PouwError('chain_blocks_lost', `The local chain is not what it was from block ${from} on.`, {
    class: 'corrupt',
    why,
    hint: 'The network takes it as a reorg and sends its own transactions again; see whether those of other wallets are there.',
    details: { block: from },
  });
  return { from, error };
}

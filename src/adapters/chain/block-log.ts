import { type FileHandle, open, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { present } from '../../core/assert.ts';
import { PouwError } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import { type LogMark, parseLogMark } from '../../core/log-mark.ts';
import { folderError } from '../process/make-folder.ts';
import { type BlockLine, decodeBlockLine, encodeBlockLine } from './block-line.ts';
import type { BlockRef } from './block-window.ts';
import { replaceFile } from './replace-file.ts';

/** A block as far as is needed to make the very same one again on the block before it. */
export interface LoggedBlock extends BlockRef {
  /** Block time in seconds, as anvil writes it. */
  readonly timestamp: Hex;
  readonly baseFeePerGas: Hex;
  /** The transactions as they were signed, in their order. */
  readonly raw: readonly Hex[];
}

/** A saved state that there may be. */
export interface KnownState {
  /** Its SHA-256. */
  readonly hash: string;
  /** The first block that was not made again as it had been, so that it may have been told of otherwise. */
  readonly lostFrom?: number | undefined;
}

/** What a block log says. */
export interface BlockLogContent {
  /** The block that the saved state has at least. */
  readonly base: BlockRef;
  /** The blocks after it, without gaps. */
  readonly blocks: readonly LoggedBlock[];
  /** What the log beside it had when the newest of this was written. */
  readonly logMark?: LogMark;
  /** The state that it goes on from, and those that were about to be saved. */
  readonly states: readonly KnownState[];
}

/** The file of the block log in a chain folder. */
export function blockLogFile(directory: string): string {
  return join(directory, 'blocks.ndjson');
}

/**
 * Reads a block log; undefined where there is none. What was half written when the machine went down is left out.
 *
 * @throws PouwError `chain_blocks_damaged` where a line is not what was written, `data_unwritable` where it cannot be read.
 */
export async function readBlockLog(file: string): Promise<BlockLogContent | undefined> {
  const entries = (await lines(file)).map(decodeBlockLine);
  // All lines have a checksum, or none has.
  const isSummed = entries.some((entry) => typeof entry === 'object' && entry.isSummed);
  const [first, ...rest] = entries.map((entry) =>
    typeof entry === 'string' || entry.isSummed === isSummed ? entry : 'damaged',
  );
  if (first === undefined) return undefined;
  const base = refOf(first);
  if (base === undefined || typeof first === 'string') throw damaged(file, 1);
  const states = [parseState(first.value['state'])].filter((state) => state !== undefined);
  const blocks: LoggedBlock[] = [];
  let logMark = parseLogMark(first.value['log']);
  let isTorn = false;
  for (const [index, entry] of rest.entries()) {
    // Only the end is ever half written, and nothing but the announcement of a state is written after such an end.
    isTorn ||= entry === 'torn';
    if (entry === 'torn') continue;
    const block = isTorn ? undefined : blockOf(entry);
    const state = typeof entry === 'string' ? undefined : parseState(entry.value['state']);
    if (block?.number === base.number + blocks.length + 1) blocks.push(block);
    else if (state !== undefined && refOf(entry) === undefined) states.push(state);
    else throw damaged(file, index + 2);
    logMark = (typeof entry === 'string' ? undefined : parseLogMark(entry.value['log'])) ?? logMark;
  }
  return { base, blocks, states, ...(logMark === undefined ? {} : { logMark }) };
}

function refOf(line: BlockLine): BlockRef | undefined {
  if (typeof line === 'string') return undefined;
  const { number, hash } = line.value;
  return typeof number === 'number' && typeof hash === 'string' ? { number, hash: hash as Hex } : undefined;
}

function blockOf(line: BlockLine): LoggedBlock | undefined {
  const ref = refOf(line);
  if (ref === undefined || typeof line === 'string') return undefined;
  const { timestamp, baseFeePerGas, raw } = line.value as Partial<LoggedBlock>;
  if (timestamp === undefined || baseFeePerGas === undefined || !Array.isArray(raw)) return undefined;
  return { ...ref, timestamp, baseFeePerGas, raw };
}

/** An older pouw wrote the hash alone. */
function parseState(value: unknown): KnownState | undefined {
  if (typeof value === 'string') return { hash: value };
  if (typeof value !== 'object' || value === null || !('hash' in value)) return undefined;
  const lostFrom = 'lostFrom' in value && typeof value.lostFrom === 'number' ? { lostFrom: value.lostFrom } : {};
  return typeof value.hash === 'string' ? { hash: value.hash, ...lostFrom } : undefined;
}

async function lines(file: string): Promise<string[]> {
  try {
    return (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw folderError(dirname(file), error) ?? error;
  }
}

function damaged(file: string, line: number): PouwError {
  return new PouwError('chain_blocks_damaged', `The block log of the local chain is damaged in line ${line}.`, {
    class: 'corrupt',
    why: 'The line is not what was written there: its checksum or its place is another.',
    hint: `Restore ${file}, or the whole data directory, from a copy, or use another --data directory.`,
    details: { line },
  });
}

/** Says in a block log that nobody has open which state is about to be saved; on the disk when it resolves. */
export async function announceState(file: string, state: KnownState): Promise<void> {
  const handle = await open(file, 'a');
  try {
    await handle.appendFile(announcement(state));
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

/** What is before it may be half a line. */
function announcement(state: KnownState): string {
  return `\n${encodeBlockLine({ state })}`;
}

/** The block log of a running chain. One call at a time is its owner's business. */
export interface BlockLog {
  /** Adds blocks; on the disk when it resolves. */
  append(blocks: readonly LoggedBlock[]): Promise<void>;
  /** Says which state is about to be saved; on the disk when it resolves. */
  announce(state: KnownState): Promise<void>;
  /** Begins anew after a state was saved, with what came since; on the disk when it resolves. */
  restart(base: BlockRef, blocks: readonly LoggedBlock[], state?: KnownState): Promise<void>;
  close(): Promise<void>;
}

/** How a block log begins. */
export interface BlockLogStart {
  /** Blocks after the base that are known already. */
  readonly blocks?: readonly LoggedBlock[];
  /** The saved state. */
  readonly state?: KnownState | undefined;
  /** How far the log is that runs on this chain, written down with the blocks. */
  readonly logMark?: (() => LogMark | undefined) | undefined;
}

/** Begins a block log on a base, in the place of the one before. */
export async function openBlockLog(
  file: string,
  base: BlockRef,
  { blocks: known = [], state: saved, logMark = () => undefined }: BlockLogStart = {},
): Promise<BlockLog> {
  let handle: FileHandle | undefined;
  const restart: BlockLog['restart'] = async ({ number, hash }, blocks, state) => {
    const first = { number, hash, ...(state === undefined ? {} : { state }) };
    await replaceFile(file, text([first, ...blocks], logMark()));
    const replaced = handle;
    handle = await open(file, 'a');
    await replaced?.close();
  };
  await restart(base, known, saved);
  return {
    append: async (blocks) => {
      const opened = present(handle, 'an open block log');
      await opened.appendFile(text(blocks, logMark()));
      await opened.datasync();
    },
    announce: async (state) => {
      const opened = present(handle, 'an open block log');
      await opened.appendFile(announcement(state));
      await opened.datasync();
    },
    restart,
    close: async () => {
      await handle?.close();
      handle = undefined;
    },
  };
}

/** One line for each; the last one has the mark. */
function text(entries: readonly BlockRef[], log: LogMark | undefined): string {
  const last = entries.length - 1;
  return entries
    .map((entry, index) => encodeBlockLine(index === last && log !== undefined ? { ...entry, log } : entry))
    .join('');
}

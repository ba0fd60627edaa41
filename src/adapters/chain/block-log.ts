import { type FileHandle, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { present } from '../../core/assert.ts';
import type { Hex } from '../../core/hash.ts';
import { type LogMark, parseLogMark } from '../../core/log-mark.ts';
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

/** What a block log says. */
export interface BlockLogContent {
  /** The block that the saved state has at least. */
  readonly base: BlockRef;
  /** The blocks after it, without gaps. */
  readonly blocks: readonly LoggedBlock[];
  /** What the log beside it had when the newest of this was written. */
  readonly logMark?: LogMark;
  /** SHA-256 of the saved states that there may be: the one that it goes on from, and those that were about to be saved. */
  readonly states: readonly string[];
}

/** The file of the block log in a chain folder. */
export function blockLogFile(directory: string): string {
  return join(directory, 'blocks.ndjson');
}

/** Reads a block log; undefined where there is none. What was half written when the machine went down is left out. */
export async function readBlockLog(file: string): Promise<BlockLogContent | undefined> {
  const [first, ...rest] = await lines(file);
  const header = first === undefined ? undefined : parse<BlockRef & Marked>(first);
  if (header === undefined) return undefined;
  const { log: mark, state, ...base } = header;
  let logMark = parseLogMark(mark);
  const blocks: LoggedBlock[] = [];
  const announced = rest.map(stateIn);
  const states = [state, ...announced].filter((one) => typeof one === 'string');
  for (const line of rest.filter((_, index) => announced[index] === undefined)) {
    const parsed = parse<LoggedBlock & Marked>(line);
    if (parsed?.number !== base.number + blocks.length + 1) break;
    const { log, ...block } = parsed;
    blocks.push(block);
    logMark = parseLogMark(log) ?? logMark;
  }
  return { base, blocks, states, ...(logMark === undefined ? {} : { logMark }) };
}

/** A line may say what the log beside had when it was written. */
interface Marked {
  readonly log?: unknown;
  /** In the first line. */
  readonly state?: unknown;
}

/** The state that a line announces. */
function stateIn(line: string): string | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null || 'number' in value || !('state' in value)) return undefined;
    return typeof value.state === 'string' ? value.state : undefined;
  } catch {
    return undefined;
  }
}

async function lines(file: string): Promise<string[]> {
  try {
    return (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

function parse<Line extends BlockRef>(line: string): Line | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'number' in value ? (value as Line) : undefined;
  } catch {
    return undefined;
  }
}

/** Says in a block log that nobody has open which state is about to be saved; on the disk when it resolves. */
export async function announceState(file: string, state: string): Promise<void> {
  const handle = await open(file, 'a');
  try {
    await handle.appendFile(announcement(state));
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

/** What is before it may be half a line. */
function announcement(state: string): string {
  return `\n${JSON.stringify({ state })}\n`;
}

/** The block log of a running chain. One call at a time is its owner's business. */
export interface BlockLog {
  /** Adds blocks; on the disk when it resolves. */
  append(blocks: readonly LoggedBlock[]): Promise<void>;
  /** Says which state is about to be saved; on the disk when it resolves. */
  announce(state: string): Promise<void>;
  /** Begins anew after a state was saved, with what came since; on the disk when it resolves. */
  restart(base: BlockRef, blocks: readonly LoggedBlock[], state?: string): Promise<void>;
  close(): Promise<void>;
}

/** How a block log begins. */
export interface BlockLogStart {
  /** Blocks after the base that are known already. */
  readonly blocks?: readonly LoggedBlock[];
  /** SHA-256 of the saved state. */
  readonly state?: string | undefined;
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
  const restart = async ({ number, hash }: BlockRef, blocks: readonly LoggedBlock[], state?: string): Promise<void> => {
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
    .map((entry, index) => `${JSON.stringify(index === last && log !== undefined ? { ...entry, log } : entry)}\n`)
    .join('');
}

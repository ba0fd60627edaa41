import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AnvilProcess, startAnvil } from '../../src/adapters/chain/anvil-process.ts';
import { newestBlock } from '../../src/adapters/chain/anvil-rpc.ts';
import { hashOfState } from '../../src/adapters/chain/anvil-snapshot.ts';
import { anvilStateFile } from '../../src/adapters/chain/anvil-spawn.ts';
import { announceState, blockLogFile, readBlockLog } from '../../src/adapters/chain/block-log.ts';
import { present } from '../../src/core/assert.ts';
import type { PouwError } from '../../src/core/errors.ts';
import { rpc } from './chain.local-chain.ts';
import { balance, pay } from './chain.payments.ts';
import { type ScratchDirectory, scratchDirectory } from './scratch-directory.ts';

let scratch: ScratchDirectory;
let directory: string;
let lost: (number | undefined)[];
let anvil: AnvilProcess;

beforeEach(async () => {
  scratch = scratchDirectory();
  directory = scratch.file('chain');
  lost = [];
  anvil = await start(false);
});
afterEach(async () => {
  await anvil.stop().catch(() => undefined);
  scratch.remove();
});

/** Starts it so that its state is saved when a test says so, and not by itself. */
function start(held: boolean): Promise<AnvilProcess> {
  const onLost = ({ details }: PouwError): void => void lost.push(details?.['block'] as number);
  return startAnvil({ directory, held, saveEveryMs: 600_000, onLost });
}

async function kill(): Promise<void> {
  process.kill(anvil.pid, 'SIGKILL');
  await anvil.exited;
}

async function killAndHold(): Promise<void> {
  await kill();
  anvil = await start(true);
}

const onDisk = (): Buffer[] => [anvilStateFile(directory), blockLogFile(directory)].map((file) => readFileSync(file));

/** A chain of which one block cannot be made again as it was. @returns that block's number. */
async function loseBlock(): Promise<number> {
  await pay(anvil.url, 0, 1);
  await rpc(anvil.url, 'anvil_setBalance', ['0x00000000000000000000000000000000000000bb', '0x1']);
  await pay(anvil.url, 0, 1);
  const { number } = await newestBlock(anvil.url);
  await anvil.keep(await newestBlock(anvil.url));
  return number;
}

test.each([
  ['stopped', () => anvil.stop()],
  ['killed', kill],
])('a held chain that is %s leaves its folder as it was, also where blocks were lost', async (_, end) => {
  const from = await loseBlock();
  const before = onDisk();
  await killAndHold();
  expect([lost, anvil.lostFrom, await balance(anvil.url)]).toEqual([[from], from, 2]);
  await pay(anvil.url, 0, 1);
  await anvil.keep(await newestBlock(anvil.url));
  await anvil.save();
  await end();
  expect(onDisk()).toEqual(before);
  anvil = await start(true);
  expect([lost, anvil.lostFrom, await balance(anvil.url)]).toEqual([[from, from], from, 2]);
});

test('what a chain made while it was held is on the disk once it is accepted', async () => {
  await pay(anvil.url, 0, 2);
  await anvil.keep(await newestBlock(anvil.url));
  await killAndHold();
  await pay(anvil.url, 0, 1);
  await anvil.accept(true);
  await killAndHold();
  expect([lost, anvil.lostFrom, await balance(anvil.url)]).toEqual([[], undefined, 3]);
});

test('coins that were given without a transaction while it was held are there once it is accepted', async () => {
  await killAndHold();
  await rpc(anvil.url, 'anvil_setBalance', ['0x00000000000000000000000000000000000000aa', '0x9']);
  await anvil.save();
  await anvil.accept(true);
  await killAndHold();
  expect([lost, await balance(anvil.url)]).toEqual([[], 9]);
});

test('a chain that has lost blocks and was accepted goes on after a kill, and remembers that it has', async () => {
  const from = await loseBlock();
  await killAndHold();
  await anvil.accept(false);
  const newest = await newestBlock(anvil.url);
  await pay(anvil.url, 0, 1);
  await anvil.keep(await newestBlock(anvil.url));
  for (const told of [1, 1]) {
    await killAndHold();
    expect([lost.length, anvil.lostFrom, await balance(anvil.url)]).toEqual([told, from, 3]);
    expect((await rpc(anvil.url, 'eth_getBlockByHash', [newest.hash, false])) === null).toBe(false);
  }
  // Its state is saved again, and it is the same still; until who was told of the blocks knows.
  await anvil.accept(false);
  await anvil.save();
  await killAndHold();
  expect(anvil.lostFrom).toBe(from);
  await anvil.accept(true);
  await anvil.save();
  await killAndHold();
  expect([lost.length, anvil.lostFrom, await balance(anvil.url)]).toEqual([1, undefined, 3]);
});

test('a chain that is killed between the state without its lost blocks and the block log of it goes on', async () => {
  const from = await loseBlock();
  const [, log] = onDisk();
  await killAndHold();
  await anvil.accept(false);
  await kill();
  const hash = present(await hashOfState(anvilStateFile(directory)), 'a saved state');
  writeFileSync(blockLogFile(directory), present(log, 'a block log'));
  await announceState(blockLogFile(directory), { hash, lostFrom: from });
  anvil = await start(true);
  expect([lost.length, anvil.lostFrom, await balance(anvil.url)]).toEqual([1, from, 2]);
  await anvil.accept(false);
  expect((await readBlockLog(blockLogFile(directory)))?.states).toEqual([{ hash, lostFrom: from }]);
});

test('does not start on a block log with one digit changed, and does with the right one', async () => {
  await pay(anvil.url, 0, 2);
  await anvil.keep(await newestBlock(anvil.url));
  await kill();
  const [state, log] = onDisk();
  const text = String(log);
  const at = text.indexOf('"raw":["0x') + 30;
  writeFileSync(blockLogFile(directory), `${text.slice(0, at)}${text[at] === '1' ? '2' : '1'}${text.slice(at + 1)}`);
  await expect(start(true)).rejects.toMatchObject({ code: 'chain_blocks_damaged' });
  writeFileSync(blockLogFile(directory), text);
  expect(onDisk()[0]).toEqual(state);
  anvil = await start(true);
  expect(await balance(anvil.url)).toBe(2);
});

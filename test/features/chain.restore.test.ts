import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type AnvilProcess, startAnvil } from '../../src/adapters/chain/anvil-process.ts';
import { type AnvilBlock, anvilBlock, newestBlock } from '../../src/adapters/chain/anvil-rpc.ts';
import { anvilStateFile } from '../../src/adapters/chain/anvil-spawn.ts';
import { BlockKeeper } from '../../src/adapters/chain/block-keeper.ts';
import { hashOfState } from '../../src/adapters/chain/anvil-snapshot.ts';
import { announceState, blockLogFile, openBlockLog, readBlockLog } from '../../src/adapters/chain/block-log.ts';
import { present } from '../../src/core/assert.ts';
import type { PouwError } from '../../src/core/errors.ts';
import { limits } from '../../src/core/limits.ts';
import { rpc } from './chain.local-chain.ts';
import { balance, pay, send, someone } from './chain.payments.ts';
import { aMoment, eventually } from './feature.ts';
import { pouwError } from './pouw-error.ts';
import { type ScratchDirectory, scratchDirectory } from './scratch-directory.ts';

/** How long the slowest disk that these tests have met may take for a thousand blocks, twice over, in milliseconds. */
const slowDiskMs = 90_000;

let scratch: ScratchDirectory;
let directory: string;
let anvil: AnvilProcess;
let lost: PouwError[];

beforeEach(async () => {
  scratch = scratchDirectory();
  directory = scratch.file('chain');
  lost = [];
  anvil = await start();
});
afterEach(async () => {
  await anvil.stop().catch(() => undefined);
  scratch.remove();
});

/** Starts it so that its state is saved when a test says so, and not by itself. */
function start(saveEveryMs = 600_000): Promise<AnvilProcess> {
  return startAnvil({ directory, saveEveryMs, onLost: (error) => lost.push(error) });
}

async function kill(): Promise<void> {
  process.kill(anvil.pid, 'SIGKILL');
  await anvil.exited;
}

/** Kills the chain as it stands and starts it again. */
async function killAndStart(): Promise<void> {
  await kill();
  anvil = await start();
}

async function accounts(): Promise<readonly string[]> {
  return (await rpc(anvil.url, 'eth_accounts')) as string[];
}

/** Every block of the chain up to one. */
async function blocksUpTo(newest: number): Promise<(AnvilBlock | undefined)[]> {
  const numbers = Array.from({ length: newest }, (_, index) => index + 1);
  return Promise.all(numbers.map((number) => anvilBlock(anvil.url, number)));
}

/** The block log as it is in the moment after the state was saved: it has only said that it would be. */
async function goBackTo(log: Buffer): Promise<void> {
  writeFileSync(blockLogFile(directory), log);
  const hash = present(await hashOfState(anvilStateFile(directory)), 'a saved state');
  await announceState(blockLogFile(directory), { hash });
}

describe('a local chain that is killed', () => {
  test('is the same to the last block that was kept, empty ones and their times included', async () => {
    await pay(anvil.url, 0, 2);
    await anvil.save();
    await pay(anvil.url, 0, 1);
    await rpc(anvil.url, 'evm_mine');
    await pay(anvil.url, 1, 3);
    const newest = await newestBlock(anvil.url);
    await anvil.keep(newest);
    const before = await blocksUpTo(newest.number);
    await killAndStart();
    expect(await blocksUpTo(newest.number)).toEqual(before);
    expect(await balance(anvil.url)).toBe(6);
    expect(lost).toEqual([]);
    await rpc(anvil.url, 'evm_mine');
    expect(Math.abs(Number((await newestBlock(anvil.url)).timestamp) * 1_000 - Date.now())).toBeLessThan(3_000);
  });

  test('is the same a second and a third time', async () => {
    for (let round = 1; round <= 3; round += 1) {
      await pay(anvil.url, round, 2);
      const newest = await newestBlock(anvil.url);
      await anvil.keep(newest);
      await killAndStart();
      expect((await anvilBlock(anvil.url, newest.number))?.hash).toBe(newest.hash);
      expect(await balance(anvil.url)).toBe(round * 2);
    }
  });

  test('is the same chain when that happens in its first moment', async () => {
    const first = await anvilBlock(anvil.url, 1);
    await aMoment(1_100);
    await killAndStart();
    expect(await anvilBlock(anvil.url, 1)).toEqual(first);
  });

  test('has transactions of wallets that are not ours, and what they deployed', async () => {
    const [from] = await accounts();
    const { hash, receipt } = await send(anvil.url, { from, data: '0x602a60005260206000f3' });
    await anvil.keep(await newestBlock(anvil.url));
    await killAndStart();
    expect(await rpc(anvil.url, 'eth_getTransactionReceipt', [hash])).toEqual(receipt);
  });

  test('knows the hashes of its blocks when a contract asks for them', async () => {
    const asked = await newestBlock(anvil.url);
    await rpc(anvil.url, 'evm_mine');
    await anvil.save();
    await killAndStart();
    // BLOCKHASH of the number in the call's data.
    const code = '0x6000354060005260206000f3';
    const data = `0x${asked.number.toString(16).padStart(64, '0')}`;
    const call = [{ to: someone, data }, 'latest', { [someone]: { code } }];
    expect(await rpc(anvil.url, 'eth_call', call)).toBe(asked.hash);
  });

  test('is what it was when its state was saved after the blocks that were kept', async () => {
    await pay(anvil.url, 0, 2);
    await anvil.keep(await newestBlock(anvil.url));
    const log = readFileSync(blockLogFile(directory));
    await rpc(anvil.url, 'evm_mine');
    // Before the save: an empty block may come right after it.
    const newest = await newestBlock(anvil.url);
    await anvil.save();
    await kill();
    await goBackTo(log);
    anvil = await start();
    expect((await anvilBlock(anvil.url, newest.number))?.hash).toBe(newest.hash);
    expect(lost).toEqual([]);
  });
});

describe('a local chain that cannot be what it was', () => {
  test('does not start on a state with a transaction after the end of its block log', async () => {
    await pay(anvil.url, 0, 2);
    await anvil.keep(await newestBlock(anvil.url));
    const log = readFileSync(blockLogFile(directory));
    await pay(anvil.url, 0, 1);
    const { number } = await newestBlock(anvil.url);
    await anvil.save();
    await kill();
    const newer = readFileSync(blockLogFile(directory));
    await goBackTo(log);
    await expect(start()).rejects.toMatchObject({ code: 'chain_parts_mixed', details: { block: number } });
    writeFileSync(blockLogFile(directory), newer);
    anvil = await start();
    expect(await balance(anvil.url)).toBe(3);
    expect(lost).toEqual([]);
  });

  test('does not start on a state of which one byte was changed', async () => {
    await pay(anvil.url, 0, 2);
    await anvil.save();
    await kill();
    const file = anvilStateFile(directory);
    const state = readFileSync(file);
    const changed = Buffer.from(state);
    const at = changed.lastIndexOf('0x') + 2;
    changed[at] = changed[at] === 0x31 ? 0x32 : 0x31;
    writeFileSync(file, changed);
    await expect(start()).rejects.toMatchObject({ code: 'chain_parts_mixed' });
    writeFileSync(file, state);
    anvil = await start();
    expect(await balance(anvil.url)).toBe(2);
  });

  test('says from which block on, and has its transactions all the same', async () => {
    await pay(anvil.url, 0, 1);
    await rpc(anvil.url, 'anvil_setBalance', ['0x00000000000000000000000000000000000000bb', '0x1']);
    await pay(anvil.url, 0, 2);
    const newest = await newestBlock(anvil.url);
    await anvil.keep(newest);
    await killAndStart();
    expect(lost).toEqual([pouwError('chain_blocks_lost', { class: 'corrupt', details: { block: newest.number - 1 } })]);
    expect(await balance(anvil.url)).toBe(3);
    expect((await anvilBlock(anvil.url, newest.number))?.hash).not.toBe(newest.hash);
  });

  test('stops before a transaction that nobody has signed', async () => {
    const stranger = '0x00000000000000000000000000000000000000bb';
    await pay(anvil.url, 0, 1);
    const signed = await newestBlock(anvil.url);
    await rpc(anvil.url, 'anvil_impersonateAccount', [stranger]);
    await rpc(anvil.url, 'anvil_setBalance', [stranger, '0xde0b6b3a7640000']);
    await send(anvil.url, { from: stranger, to: someone, value: '0x5' });
    await anvil.keep(await newestBlock(anvil.url));
    await killAndStart();
    expect(lost).toEqual([pouwError('chain_blocks_lost', { details: { block: signed.number + 1 } })]);
    expect(await balance(anvil.url)).toBe(1);
  });

  test('does not start on a state that is older than the blocks that go on from it', async () => {
    const state = readFileSync(anvilStateFile(directory));
    await pay(anvil.url, 0, 2);
    await anvil.save();
    await kill();
    const newer = readFileSync(anvilStateFile(directory));
    writeFileSync(anvilStateFile(directory), state);
    await expect(start()).rejects.toMatchObject({ code: 'chain_parts_mixed' });
    expect(readFileSync(anvilStateFile(directory)).equals(state)).toBe(true);
    writeFileSync(anvilStateFile(directory), newer);
    anvil = await start();
    expect(await balance(anvil.url)).toBe(2);
    expect(lost).toEqual([]);
  });
});

describe('while a local chain runs', () => {
  test('a block is on the disk when it is kept, and a later one need not be', async () => {
    await pay(anvil.url, 0, 1);
    const block = await newestBlock(anvil.url);
    await anvil.keep(block);
    const kept = await readBlockLog(blockLogFile(directory));
    expect(kept?.blocks.at(-1)).toMatchObject({ number: block.number, hash: block.hash });
    const before = readFileSync(blockLogFile(directory), 'utf8');
    await anvil.keep(block);
    expect(readFileSync(blockLogFile(directory), 'utf8')).toBe(before);
  });

  test('blocks that others replace are saved as they are then', async () => {
    await pay(anvil.url, 0, 3);
    await anvil.keep(await newestBlock(anvil.url));
    await rpc(anvil.url, 'anvil_reorg', [2, []]);
    const newest = await newestBlock(anvil.url);
    await anvil.keep(newest);
    await killAndStart();
    expect((await anvilBlock(anvil.url, newest.number))?.hash).toBe(newest.hash);
    expect(await balance(anvil.url)).toBe(1);
    expect(lost).toEqual([]);
  });

  test('a log that did not take a block is written anew with the next one', async () => {
    const base = await newestBlock(anvil.url);
    const file = scratch.file('blocks.ndjson');
    const log = await openBlockLog(file, base);
    const keeper = new BlockKeeper(anvil.url, log, base);
    await pay(anvil.url, 0, 2);
    expect(await keeper.keep(await newestBlock(anvil.url))).toBe(true);
    await log.close();
    await pay(anvil.url, 0, 1);
    const newest = await newestBlock(anvil.url);
    await expect(keeper.keep(newest)).rejects.toThrow('an open block log');
    appendFileSync(file, '{"number":');
    expect(await keeper.keep(newest)).toBe(true);
    await keeper.close();
    expect((await readBlockLog(file))?.blocks.at(-1)).toMatchObject({ number: newest.number, hash: newest.hash });
  });

  test(
    'a state that is saved among transactions has each with its block or not at all',
    async () => {
      const over = new AbortController();
      const paying = (await accounts()).slice(0, 4).map(async (_, from) => {
        while (!over.signal.aborted) await pay(anvil.url, from, 1);
      });
      const states: { readonly paid: number; readonly mined: number }[] = [];
      for (let round = 0; round < 12; round += 1) {
        await anvil.save();
        states.push(readState());
      }
      over.abort();
      await Promise.all(paying);
      expect(states.map(({ paid }) => paid)).toEqual(states.map(({ mined }) => mined));
      expect(states.at(-1)?.mined).toBeGreaterThan(states[0]?.mined ?? 0);
    },
    2 * slowDiskMs,
  );

  test(
    `its state is saved after ${limits.chainUnsavedBlocksMax} empty blocks, and not before`,
    async () => {
      await anvil.stop();
      anvil = await start(20);
      let base = -1;
      const look = async (): Promise<void> => {
        base = (await readBlockLog(blockLogFile(directory)))?.base.number ?? base;
      };
      await look();
      const saved = base;
      await rpc(anvil.url, 'anvil_mine', [`0x${(limits.chainUnsavedBlocksMax - 30).toString(16)}`]);
      await aMoment(2_000);
      await look();
      expect(base).toBe(saved);
      await rpc(anvil.url, 'anvil_mine', ['0x1e']);
      const looking = setInterval(() => void look(), 20);
      // A thousand blocks and the state are written to the disk, which takes what it takes.
      await eventually('the save', () => base > saved, slowDiskMs).finally(() => clearInterval(looking));
      expect(base).toBeGreaterThanOrEqual(saved + limits.chainUnsavedBlocksMax);
    },
    2 * slowDiskMs,
  );
});

/** What somebody has, and how many payments the blocks hold, in the saved state. */
function readState(): { readonly paid: number; readonly mined: number } {
  const state = JSON.parse(readFileSync(anvilStateFile(directory), 'utf8')) as {
    readonly accounts: Readonly<Record<string, { readonly balance: string }>>;
    readonly blocks: readonly { readonly transactions: readonly unknown[] }[];
  };
  const mined = state.blocks.reduce((sum, { transactions }) => sum + transactions.length, 0);
  return { paid: Number(state.accounts[someone]?.balance ?? 0), mined };
}

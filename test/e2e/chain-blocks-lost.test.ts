import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { blockLogFile, readBlockLog } from '../../src/adapters/chain/block-log.ts';
import { httpClient } from '../kit/http-client.ts';
import { scratch } from '../kit/local-network.ts';
import { runOneTask } from '../kit/one-task.ts';
import { killLeftovers, runPouw, startPouw } from '../kit/pouw-process.ts';
import { rpc } from '../kit/rpc.ts';

const place = scratch('blocks-lost');
const original = join(place.path, 'original');
/** An account that a person gives coins to, without a transaction that could be made again. */
const friend = `0x${'bb'.repeat(20)}`;

// Something other than a transaction changes the chain, a task goes on from there, and all is killed before the chain's
// state is saved: its blocks cannot be made again as they were.
beforeAll(async () => {
  const pouw = await startPouw(original);
  const client = httpClient(pouw.ready);
  const log = blockLogFile(join(original, 'chain'));
  for (let round = 1; ; round += 1) {
    await rpc(pouw.ready.rpcUrl, 'anvil_setBalance', [friend, `0x${round}`]);
    const since = await readBlockLog(log);
    await client.submit('What is a dog?', `lost ${round}`);
    const [base, last] = [since?.base.number, since?.blocks.at(-1)?.number ?? since?.base.number ?? 0];
    let now = await readBlockLog(log).catch(() => since);
    while (now?.base.number === base && !now?.blocks.some(({ number, raw }) => number > last + 1 && raw.length > 0)) {
      await sleep(5);
      now = await readBlockLog(log).catch(() => since);
    }
    if (now?.base.number !== base) continue;
    pouw.kill('SIGKILL');
    await pouw.ended;
    await killLeftovers(original);
    if ((await readBlockLog(log))?.base.number === base) return;
    throw new Error('the state was saved in the last moment');
  }
});
afterAll(async () => {
  await killLeftovers(place.path);
  place.remove();
});

function copy(): string {
  const data = mkdtempSync(join(place.path, 'copy-'));
  cpSync(original, data, { recursive: true });
  return data;
}

/** Starts it, and has it do a task. @returns what it logs of lost blocks. */
async function goOn(data: string): Promise<boolean> {
  await runOneTask(data, 'after');
  const verified = await runPouw(['log', 'verify', data, '--json']);
  expect(verified).toMatchObject({ code: 0 });
  return readFileSync(join(data, 'pouw.log'), 'utf8').includes('chain_blocks_lost');
}

it('a network whose chain has lost blocks goes on, and says so', async () => {
  expect(await goOn(copy())).toBe(true);
});

it('also after a start that was refused, which leaves the chain as it was', async () => {
  const data = copy();
  const files = ['state.json', 'blocks.ndjson'].map((name) => join(data, 'chain', name));
  const before = files.map((file) => readFileSync(file));
  const { code, stderr } = await runPouw(['start', '--data', data, '--port', '0', '--model', 'nope']);
  expect([code, /^error (\w+):/m.exec(stderr)?.[1]]).toEqual([1, 'model_not_found']);
  expect(files.map((file) => readFileSync(file))).toEqual(before);
  expect(await goOn(data)).toBe(true);
});

it('not on a block log of which a digit was changed, and does with the right one', async () => {
  const data = copy();
  const file = blockLogFile(join(data, 'chain'));
  const log = readFileSync(file, 'utf8');
  const at = log.lastIndexOf('"raw":["0x') + 40;
  writeFileSync(file, `${log.slice(0, at)}${log[at] === '1' ? '2' : '1'}${log.slice(at + 1)}`);
  const { code, stderr } = await runPouw(['start', '--data', data, '--port', '0', '--json']);
  expect([code, /^error (\w+):/m.exec(stderr)?.[1]]).toEqual([1, 'chain_blocks_damaged']);
  writeFileSync(file, log);
  expect(await goOn(data)).toBe(true);
});

it.each([0, 150])('also after one that was killed %i ms after the state without them was saved', async (ms) => {
  const data = copy();
  const state = join(data, 'chain', 'state.json');
  const before = readFileSync(state);
  const starting = startPouw(data).catch(() => undefined);
  while (readFileSync(state).equals(before)) await sleep(1);
  await sleep(ms);
  await killLeftovers(data);
  await starting;
  expect(await goOn(data)).toBe(true);
});

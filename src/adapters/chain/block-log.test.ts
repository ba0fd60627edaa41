import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ScratchDirectory, scratchDirectory } from '../../../test/features/scratch-directory.ts';
import { errorCode } from '../../core/errors.ts';
import { encodeBlockLine } from './block-line.ts';
import { announceState, blockLogFile, type LoggedBlock, openBlockLog, readBlockLog } from './block-log.ts';

let scratch: ScratchDirectory;
let file: string;
beforeEach(() => {
  scratch = scratchDirectory();
  file = blockLogFile(scratch.path);
});
afterEach(() => scratch.remove());

const base = { number: 7, hash: '0x07' } as const;

function block(number: number): LoggedBlock {
  return { number, hash: `0x${number.toString(16)}`, timestamp: '0x6b0a3287', baseFeePerGas: '0x7', raw: ['0x02'] };
}

describe('a block log', () => {
  test('says what was added to it, block by block', async () => {
    const log = await openBlockLog(file, base);
    await log.append([block(8), block(9)]);
    await log.append([block(10)]);
    await log.close();
    expect(await readBlockLog(file)).toEqual({ base, blocks: [block(8), block(9), block(10)], states: [] });
  });

  test('that was never begun says nothing', async () => {
    expect(await readBlockLog(file)).toBeUndefined();
  });

  test('begins anew on a later state, with the blocks after it', async () => {
    const log = await openBlockLog(file, base);
    await log.append([block(8), block(9)]);
    await log.restart({ ...block(8), number: 8, hash: '0x8' }, [block(9)]);
    await log.append([block(10)]);
    await log.close();
    expect(await readBlockLog(file)).toEqual({
      base: { number: 8, hash: '0x8' },
      blocks: [block(9), block(10)],
      states: [],
    });
    expect(existsSync(`${file}.new`)).toBe(false);
  });

  test('begins anew when it is opened', async () => {
    const log = await openBlockLog(file, base);
    await log.append([block(8)]);
    await log.close();
    await (await openBlockLog(file, { number: 8, hash: '0x8' })).close();
    expect(readFileSync(file, 'utf8')).toMatch(/^\{"number":8,"hash":"0x8","sum":"[0-9a-f]{16}"\}\n$/);
  });

  test('ends before half a line', async () => {
    const log = await openBlockLog(file, base);
    await log.append([block(8)]);
    await log.close();
    appendFileSync(file, '{"number":9,"ha');
    expect(await readBlockLog(file)).toEqual({ base, blocks: [block(8)], states: [] });
  });

  test('of an older pouw, without checksums, is read', async () => {
    writeFileSync(file, `{"number":7,"hash":"0x07","state":"one"}\n${JSON.stringify(block(8))}\n\n{"state":"two"}\n`);
    const states = [{ hash: 'one' }, { hash: 'two' }];
    expect(await readBlockLog(file)).toEqual({ base, blocks: [block(8)], states });
  });

  test.each([
    ['a line that is no block', '"9"\n', 3],
    ['a block that does not follow', encodeBlockLine(block(10)), 3],
    ['a block after half a line', `{"number":9,"ha\n${encodeBlockLine(block(9))}`, 4],
    ['nothing that says anything', encodeBlockLine({ some: 'thing' }), 3],
    ['a block without a checksum', `${JSON.stringify(block(9))}\n`, 3],
    ['half of a block', encodeBlockLine({ number: 9, hash: '0x9' }), 3],
  ])('is damaged with %s', async (_, rest, line) => {
    const log = await openBlockLog(file, base);
    await log.append([block(8)]);
    await log.close();
    appendFileSync(file, rest);
    await expect(readBlockLog(file)).rejects.toMatchObject({ code: 'chain_blocks_damaged', details: { line } });
  });

  test('is damaged with any byte of it changed, but for its very end, which may be half written', async () => {
    const log = await openBlockLog(file, base, { state: { hash: 'one' } });
    await log.append([block(8)]);
    await log.append([block(9)]);
    await log.close();
    const whole = readFileSync(file);
    const content = await readBlockLog(file);
    const missed: number[] = [];
    for (const at of whole.keys()) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ 1;
      writeFileSync(file, changed);
      const read = await readBlockLog(file).catch((error: unknown) => errorCode(error));
      // A line whose checksum is not recognised any more says what it said, or is taken for half a line at the end.
      const isSame = JSON.stringify(read) === JSON.stringify(content);
      const isCut = JSON.stringify(read) === JSON.stringify({ ...content, blocks: [block(8)] });
      if (read !== 'chain_blocks_damaged' && !isSame && !isCut) missed.push(at);
    }
    expect(missed).toEqual([]);
  });

  test('says what the log beside it had when the newest of it was written', async () => {
    const marks = [1, 2, 3, 4].map((position) => ({ position, hash: 'a'.repeat(64) }));
    const log = await openBlockLog(file, base, { blocks: [block(8)], logMark: () => marks.shift() });
    expect(await readBlockLog(file)).toMatchObject({ base, blocks: [block(8)], logMark: { position: 1 } });
    await log.append([block(9), block(10)]);
    expect((await readBlockLog(file))?.logMark).toMatchObject({ position: 2 });
    appendFileSync(file, '{"number":11,"hash":"0xb","log":{"position":3,"ha');
    const read = await readBlockLog(file);
    expect(read?.logMark).toMatchObject({ position: 2 });
    expect(read?.blocks).toEqual([block(8), block(9), block(10)]);
    await log.restart({ number: 10, hash: '0xa' }, []);
    expect(await readBlockLog(file)).toMatchObject({ blocks: [], logMark: { position: 3 } });
    await log.close();
  });

  test.each(['"log":null', '"log":{"position":0,"hash":""}', '"log":{"position":1,"hash":"zz"}'])(
    'takes %s for no mark',
    async (mark) => {
      await (await openBlockLog(file, base)).close();
      appendFileSync(file, encodeBlockLine({ ...block(8), ...(JSON.parse(`{${mark}}`) as object) }));
      const read = await readBlockLog(file);
      expect([read?.blocks.length, read?.logMark]).toEqual([1, undefined]);
    },
  );

  test('says which states there may be: the saved one, and those that were about to be', async () => {
    const log = await openBlockLog(file, base, { state: { hash: 'one' } });
    await log.append([block(8)]);
    appendFileSync(file, '{"number":9,"ha');
    await log.announce({ hash: 'two', lostFrom: 8 });
    await announceState(file, { hash: 'three' });
    expect(await readBlockLog(file)).toEqual({
      base,
      blocks: [block(8)],
      states: [{ hash: 'one' }, { hash: 'two', lostFrom: 8 }, { hash: 'three' }],
    });
    await log.restart(base, [block(8)], { hash: 'three' });
    await log.append([block(9)]);
    await log.close();
    expect(await readBlockLog(file)).toEqual({ base, blocks: [block(8), block(9)], states: [{ hash: 'three' }] });
  });

  test('takes nothing after its end', async () => {
    const log = await openBlockLog(file, base);
    await log.close();
    await expect(log.append([block(8)])).rejects.toThrow('an open block log');
    expect(await readBlockLog(file)).toEqual({ base, blocks: [], states: [] });
  });
});

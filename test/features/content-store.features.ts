import { afterEach, describe, expect, it } from 'vitest';
import { contentCid, digestToCid } from '../../src/core/cid.ts';
import type { Cid } from '../../src/core/ids.ts';
import type { Json } from '../../src/core/json.ts';
import { limits } from '../../src/core/limits.ts';
import type { ContentStore } from '../../src/ports/content-store.ts';

const soonMs = 50;
const generousMs = 5_000;

function failsWith(code: string): unknown {
  return expect.objectContaining({ name: 'PouwError', code });
}

/** The contract of a content store; `make` gives a fresh, empty one each time. */
export function contentStoreFeatures(name: string, make: () => Promise<ContentStore>): void {
  describe(`content store: ${name}`, () => {
    let opened: ContentStore[] = [];
    afterEach(async () => {
      await Promise.all(opened.map((store) => store.close()));
      opened = [];
    });
    const open = async (): Promise<ContentStore> => {
      const store = await make();
      opened.push(store);
      return store;
    };

    describe('storing', () => {
      storingFeatures(open);
    });
    describe('fetching', () => {
      fetchingFeatures(open);
    });
    describe('bounds and ends', () => {
      boundFeatures(open);
    });
  });
}

function storingFeatures(open: () => Promise<ContentStore>): void {
  it('gives back what was put', async () => {
    const store = await open();
    const values: Json[] = [
      null,
      0,
      'text',
      [],
      {},
      { a: [1, 2.5, -0.125, { b: 'ü\u2028\u0000😀' }], c: null, d: true },
    ];
    for (const value of values) {
      expect(await store.get(await store.put(value), { timeoutMs: generousMs })).toEqual(value);
    }
  });

  it('still gives it back once it is flushed', async () => {
    const store = await open();
    const cid = await store.put({ prompt: 'hello' });
    await store.flush();
    expect(await store.get(cid, { timeoutMs: generousMs })).toEqual({ prompt: 'hello' });
  });

  it('names a value by its content, whatever the order of its keys', async () => {
    const store = await open();
    const cid = await store.put({ a: 1, b: { c: 2, d: undefined } });
    expect(await store.put({ b: { c: 2 }, a: 1 })).toBe(cid);
    expect(cid).toBe(contentCid({ a: 1, b: { c: 2 } }));
  });

  it('knows the CID of a value without storing it', async () => {
    const store = await open();
    const cid = store.cidOf({ not: 'stored' });
    expect(await store.has(cid)).toBe(false);
    expect(await store.put({ not: 'stored' })).toBe(cid);
  });

  it('holds and pins what was put, at once and after the flush', async () => {
    const store = await open();
    const cid = await store.put({ held: true });
    expect(await store.has(cid)).toBe(true);
    await store.flush();
    expect(await store.has(cid)).toBe(true);
  });

  it('stores the same value again without harm, before and after the flush', async () => {
    const store = await open();
    const cids = await Promise.all([1, 2, 3].map(() => store.put({ again: 'and again' })));
    await store.flush();
    cids.push(await store.put({ again: 'and again' }));
    await store.flush();
    expect(new Set(cids).size).toBe(1);
    expect(await store.get(cids[0] as Cid, { timeoutMs: generousMs })).toEqual({ again: 'and again' });
  });

  it('stores many values at a time', async () => {
    const store = await open();
    const values = Array.from({ length: 200 }, (_, index) => ({ index, text: 'x'.repeat(index) }));
    const cids = await Promise.all(values.map((value) => store.put(value)));
    await store.flush();
    const back = await Promise.all(cids.map((cid) => store.get(cid, { timeoutMs: generousMs })));
    expect(back).toEqual(values);
  });
}

function fetchingFeatures(open: () => Promise<ContentStore>): void {
  it('fails with content_not_found once the time is over, not before', async () => {
    const store = await open();
    const from = performance.now();
    const missing = store.get(contentCid('missing'), { timeoutMs: soonMs });
    await expect(missing).rejects.toEqual(failsWith('content_not_found'));
    expect(performance.now() - from).toBeGreaterThanOrEqual(soonMs - 1);
  });

  it('waits for content that is put meanwhile', async () => {
    const store = await open();
    const reads = [1, 2].map(() => store.get(contentCid({ late: 1 }), { timeoutMs: generousMs }));
    await new Promise((resolve) => setTimeout(resolve, soonMs));
    await store.put({ late: 1 });
    expect(await Promise.all(reads)).toEqual([{ late: 1 }, { late: 1 }]);
  });

  it('stops waiting when the caller gives up, with the reason given', async () => {
    const store = await open();
    const giveUp = new AbortController();
    const read = store.get(contentCid('never'), { timeoutMs: generousMs, signal: giveUp.signal });
    const reason = new Error('no longer wanted');
    giveUp.abort(reason);
    await expect(read).rejects.toBe(reason);
    const late = store.get(contentCid('never'), { timeoutMs: generousMs, signal: giveUp.signal });
    await expect(late).rejects.toBe(reason);
  });

  it('refuses what is not a CID of ours', async () => {
    const store = await open();
    const other = 'bafyreigdmqpykrgxyaxtlafqpqhzrb7qy2rh75nldvfd4tucqmqqme5yje' as Cid;
    await expect(store.get(other, { timeoutMs: soonMs })).rejects.toEqual(failsWith('invalid_cid'));
    await expect(store.has(other)).rejects.toEqual(failsWith('invalid_cid'));
  });

  it('does not hold what nobody put', async () => {
    const store = await open();
    expect(await store.has(digestToCid(`0x${'ab'.repeat(32)}`))).toBe(false);
  });
}

function boundFeatures(open: () => Promise<ContentStore>): void {
  it('takes a block of exactly the limit and refuses one byte more', async () => {
    const store = await open();
    // The block is the text and its two quotes.
    const largest = 'x'.repeat(limits.contentBytesMax - 2);
    const cid = await store.put(largest);
    await store.flush();
    expect(await store.get(cid, { timeoutMs: generousMs })).toBe(largest);
    await expect(store.put(`${largest}x`)).rejects.toEqual(failsWith('content_too_large'));
    expect(await store.has(contentCid(`${largest}x`))).toBe(false);
  });

  it('counts bytes, not characters', async () => {
    const store = await open();
    const largest = 'é'.repeat(limits.contentBytesMax / 2 - 1);
    await expect(store.put(`${largest}é`)).rejects.toEqual(failsWith('content_too_large'));
    expect(await store.put(largest)).toBe(contentCid(largest));
  });

  it('refuses values that mean something else to IPLD, and takes links as they are', async () => {
    const store = await open();
    await expect(store.put({ '/': 'not a cid' })).rejects.toEqual(failsWith('content_invalid'));
    const link = { child: { '/': contentCid('child') } };
    const cid = await store.put(link);
    await store.flush();
    expect(await store.get(cid, { timeoutMs: generousMs })).toEqual(link);
  });

  it('is closed only once, ends reads that wait, and refuses everything afterwards', async () => {
    const store = await open();
    const cid = await store.put('before');
    const waiting = store.get(contentCid('never'), { timeoutMs: generousMs });
    await Promise.all([store.close(), store.close(), expect(waiting).rejects.toEqual(failsWith('content_closed'))]);
    await expect(store.put('after')).rejects.toEqual(failsWith('content_closed'));
    await expect(store.get(cid, { timeoutMs: soonMs })).rejects.toEqual(failsWith('content_closed'));
    await expect(store.has(cid)).rejects.toEqual(failsWith('content_closed'));
  });
}

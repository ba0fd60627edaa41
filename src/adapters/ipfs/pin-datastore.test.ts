import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Key } from 'interface-datastore';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PinDatastore } from './pin-datastore.ts';

const key = (name: string): Key => new Key(`/pin/${name}`);
const value = (byte: number): Uint8Array => new Uint8Array([byte]);

describe('pin datastore', () => {
  let directory: string;
  let file: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pouw-pins-'));
    file = join(directory, 'pins.db');
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it('shows changes at once and keeps them after a sync', () => {
    const store = new PinDatastore(file);
    store.put(key('a'), value(1));
    store.put(key('b'), value(2));
    store.delete(key('b'));
    expect([store.has(key('a')), store.has(key('b'))]).toEqual([true, false]);
    store.sync();
    const other = new PinDatastore(file);
    expect(other.get(key('a'))).toEqual(value(1));
    expect(other.has(key('b'))).toBe(false);
    other.close();
    store.close();
  });

  it('deletes what an earlier sync wrote', () => {
    const store = new PinDatastore(file);
    store.put(key('a'), value(1));
    store.sync();
    store.delete(key('a'));
    expect(store.has(key('a'))).toBe(false);
    store.close();
    const other = new PinDatastore(file);
    expect(other.has(key('a'))).toBe(false);
    other.close();
  });

  it('says NotFoundError, the name helia looks for', () => {
    const store = new PinDatastore(file);
    expect(() => store.get(key('missing'))).toThrow(expect.objectContaining({ name: 'NotFoundError' }));
    store.close();
  });

  it('answers queries over written and waiting entries, by prefix and in order', async () => {
    const store = new PinDatastore(file);
    store.put(key('b'), value(2));
    store.sync();
    store.put(key('a'), value(1));
    store.put(new Key('/other/c'), value(3));
    const pairs = [];
    for await (const pair of store.query({ prefix: '/pin/' })) pairs.push([pair.key.toString(), [...pair.value]]);
    expect(pairs).toEqual([
      ['/pin/a', [1]],
      ['/pin/b', [2]],
    ]);
    const keys = [];
    for await (const one of store.queryKeys({ prefix: '/other/' })) keys.push(one.toString());
    expect(keys).toEqual(['/other/c']);
    store.close();
  });

  it('does not let waiting changes pile up', () => {
    const store = new PinDatastore(file);
    for (let index = 0; index < 3_000; index += 1) store.put(key(`${index}`), value(index % 256));
    const other = new PinDatastore(file);
    expect(other.has(key('2000'))).toBe(true);
    other.close();
    store.close();
  });
});

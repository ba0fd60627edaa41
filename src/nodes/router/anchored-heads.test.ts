import { afterEach, describe, expect, test } from 'vitest';
import { streamId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { AnchoredHeads } from './anchored-heads.ts';

// The real bound takes long to reach; what happens at it does not depend on its size.
const bounds = limits as { anchoredHeadsKept: number };
const real = { ...bounds };
afterEach(() => void Object.assign(bounds, real));

const [a, b, c] = ['1', '2', '3'].map((number) => streamId('session', `31337-abcdefab-${number}`)) as [
  ReturnType<typeof streamId>,
  ReturnType<typeof streamId>,
  ReturnType<typeof streamId>,
];
const at = (version: number, epoch: number) => ({ version, epoch, root: '0x' as const });

describe('anchored heads', () => {
  test('say up to where a stream is anchored, and which anchor covers a version first', () => {
    const heads = new AnchoredHeads();
    heads.add(a, at(3, 1));
    heads.add(a, at(8, 2));
    expect([heads.version(a), heads.version(b)]).toEqual([8, 0]);
    expect([1, 3, 4, 8, 9].map((version) => heads.covering(a, version)?.epoch)).toEqual([1, 1, 2, 2, undefined]);
  });

  test('are forgotten oldest first, but of a stream the newest stays while others have several', () => {
    bounds.anchoredHeadsKept = 3;
    const heads = new AnchoredHeads();
    heads.add(a, at(1, 1));
    for (const epoch of [2, 3, 4]) heads.add(b, at(epoch, epoch));
    expect([heads.version(a), heads.version(b)]).toEqual([1, 4]);
    expect(heads.covering(b, 2)).toMatchObject({ epoch: 3 });
    heads.add(c, at(9, 5));
    expect([heads.version(a), heads.version(b), heads.version(c)]).toEqual([1, 4, 9]);
  });

  test('of a whole stream are forgotten where there are more streams than are kept', () => {
    bounds.anchoredHeadsKept = 2;
    const heads = new AnchoredHeads();
    heads.add(a, at(1, 1));
    heads.add(b, at(2, 2));
    heads.add(c, at(3, 3));
    expect([heads.version(a), heads.version(b), heads.version(c)]).toEqual([0, 2, 3]);
    expect(heads.covering(a, 1)).toBeNull();
  });
});

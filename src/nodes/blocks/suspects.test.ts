import { expect, test } from 'vitest';
import { limits } from '../../core/limits.ts';
import { Suspects } from './suspects.ts';

test('suspects are remembered up to the bound, the longest ago forgotten first, and cleared', () => {
  const suspects = new Suspects();
  for (let index = 0; index < limits.blockSuspectsKept; index += 1) suspects.add(`peer-${index}`);
  suspects.add('peer-0');
  expect(suspects.has('peer-1')).toBe(true);
  suspects.add('one-more');
  expect(['peer-0', 'peer-1', 'peer-2', 'one-more'].map((peer) => suspects.has(peer))).toEqual([
    true,
    false,
    true,
    true,
  ]);
  suspects.clear('peer-2');
  expect(suspects.has('peer-2')).toBe(false);
});

import { expect, test } from 'vitest';
import { Recent } from './recent.ts';

test('the newest entries are remembered, as many as the bound allows', () => {
  const recent = new Recent<string, number>(2);
  recent.set('a', 1);
  recent.set('b', 2);
  expect([recent.get('a'), recent.has('b')]).toEqual([1, true]);
  recent.set('a', 3);
  recent.set('c', 4);
  expect([recent.get('a'), recent.has('b'), recent.get('c')]).toEqual([3, false, 4]);
});

test('all entries are forgotten at once', () => {
  const recent = new Recent<string, number>(2);
  recent.set('a', 1);
  recent.set('b', 2);
  recent.clear();
  expect([recent.has('a'), recent.has('b')]).toEqual([false, false]);
});

test('an entry is forgotten once it is taken', () => {
  const recent = new Recent<string, number>(2);
  recent.set('a', 1);
  expect([recent.take('a'), recent.take('a'), recent.has('a')]).toEqual([1, undefined, false]);
});

import { expect, test } from 'vitest';
import { decorate } from './decorate.ts';

class Counter {
  #count = 0;
  readonly name = 'a counter';
  add(by: number): number {
    this.#count += by;
    return this.#count;
  }
  total(): number {
    return this.#count;
  }
}

test('what is not replaced is the inner object’s own, private fields and values too', () => {
  const inner = new Counter();
  const outer = decorate(inner, { add: (by) => inner.add(by * 10) });
  expect([outer.add(2), outer.total(), inner.total(), outer.name]).toEqual([20, 20, 20, 'a counter']);
  expect(Reflect.get(outer, 'total')).toBe(Reflect.get(outer, 'total'));
});

test('a decorated object can be decorated again, and spread', () => {
  const inner = { one: () => 1, two: () => 2 };
  const outer = decorate(decorate(inner, { one: () => 10 }), { two: () => 20 });
  expect([outer.one(), outer.two()]).toEqual([10, 20]);
  const spread = { ...outer };
  expect([spread.one(), spread.two()]).toEqual([10, 20]);
});

test('a name that every object has is not taken for a replacement', () => {
  const inner = { toString: () => 'inner' };
  expect(decorate(inner, {}).toString()).toBe('inner');
});

import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AssertionError } from './assert.ts';
import { canonicalJson } from './canonical-json.ts';

describe('canonical JSON', () => {
  test.each([
    [0, '0'],
    [-0, '0'],
    [1, '1'],
    [-1.5, '-1.5'],
    [1e21, '1e+21'],
    [1e20, '100000000000000000000'],
    [999999999999999900000, '999999999999999900000'],
    [1e-6, '0.000001'],
    [1e-7, '1e-7'],
    [0.1 + 0.2, '0.30000000000000004'],
    [4.5, '4.5'],
    [2e-3, '0.002'],
    [5e-324, '5e-324'],
    [1.7976931348623157e308, '1.7976931348623157e+308'],
    [9007199254740991, '9007199254740991'],
    [333333333.3333333, '333333333.3333333'],
  ])('writes the number %d as ECMAScript does (RFC 8785, 3.2.2.3)', (value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });

  test.each([
    ['quotes and backslash', 'a"b\\c', String.raw`"a\"b\\c"`],
    ['the short escapes', '\b\t\n\f\r', String.raw`"\b\t\n\f\r"`],
    ['other controls in lower-case hex', '\u0000\u001f\u000f', String.raw`"\u0000\u001f\u000f"`],
    ['no escapes beyond those', '\u007f\u2028\u2029/€é🜁', '"\u007f\u2028\u2029/€é🜁"'],
    ['no normalisation', 'e\u0301 \u00e9', '"e\u0301 \u00e9"'],
  ])('writes strings with %s (RFC 8785, 3.2.2.2)', (_what, value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });

  test('sorts keys by UTF-16 code units, at every depth (RFC 8785, 3.2.3)', () => {
    // U+1F600 is written with surrogates from 0xd83d, so it comes before U+FB33 although its code point is higher.
    const value = {
      '\u20ac': 1,
      '\r': 2,
      '\ufb33': 3,
      '1': 4,
      '\u{1f600}': 5,
      '\u0080': 6,
      ö: 7,
      a: { b: 1, B: 2, aa: 3 },
      '10': 8,
      '9': 9,
    };
    expect(canonicalJson(value)).toBe(
      '{"\\r":2,"1":4,"10":8,"9":9,"a":{"B":2,"aa":3,"b":1},"\u0080":6,"ö":7,"\u20ac":1,"\u{1f600}":5,"\ufb33":3}',
    );
  });

  test('has no white space, keeps the order of arrays, and writes the literals', () => {
    expect(canonicalJson([3, 1, [], {}, null, true, false, ''])).toBe('[3,1,[],{},null,true,false,""]');
  });

  test('leaves undefined members out, as JSON.stringify does', () => {
    const value = { a: undefined, b: [undefined, 1], c: { d: undefined } };
    expect(canonicalJson(value)).toBe('{"b":[null,1],"c":{}}');
    expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
  });

  test.each([
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['bigint', 1n],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['a lone surrogate', '\ud800'],
    ['a lone surrogate in a key', { '\udc00': 1 }],
  ])('refuses %s', (_what, value) => {
    expect(() => canonicalJson(value)).toThrow(AssertionError);
    expect(() => canonicalJson({ deep: [value] })).toThrow(AssertionError);
  });
});

test.each([
  ['a hole of an array', () => [1, , 2], '[1,null,2]'], // oxlint-disable-line no-sparse-arrays
  ['an object that would write itself otherwise', () => ({ at: new Date(0) }), '{"at":{}}'],
  [
    'members that it inherits',
    () => Object.create({ b: 1 }, { a: { value: 2, enumerable: true } }) as unknown,
    '{"a":2}',
  ],
  [
    'an object without a prototype',
    () => Object.assign(Object.create(null) as object, { b: 1, a: 2 }),
    '{"a":2,"b":1}',
  ],
  ['a member named toJSON', () => ({ a: 1, toJSON: 'text' }), '{"a":1,"toJSON":"text"}'],
  ['numbers as keys, which the engine sorts by value', () => ({ 9: 1, 10: 2 }), '{"10":2,"9":1}'],
])('is the same whether its members are in order or not: %s', (_what, value, text) => {
  expect(canonicalJson(value())).toBe(text);
  expect(canonicalJson({ z: value(), a: 1 })).toBe(`{"a":1,"z":${text}}`);
  expect(canonicalJson({ a: 1, z: value() })).toBe(`{"a":1,"z":${text}}`);
});

test('a value that is undefined altogether has no canonical JSON', () => {
  expect(() => canonicalJson(undefined)).toThrow(AssertionError);
});

describe('for any JSON value, canonical JSON', () => {
  // Minus zero is the one number that JSON text cannot tell from another.
  const json = fc.jsonValue({ stringUnit: 'grapheme' }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);

  test('parses back to the value', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(value);
      }),
    );
  });

  test('is a fixed point', () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = canonicalJson(value);
        expect(canonicalJson(JSON.parse(text))).toBe(text);
      }),
    );
  });

  test('does not depend on the order in which members were set', () => {
    const members = fc.uniqueArray(fc.tuple(fc.string({ unit: 'grapheme' }), json), { selector: ([key]) => key });
    const shuffled = members.chain((entries) =>
      fc.tuple(fc.constant(entries), fc.shuffledSubarray(entries, { minLength: entries.length })),
    );
    fc.assert(
      fc.property(shuffled, ([entries, others]) => {
        expect(canonicalJson(Object.fromEntries(entries))).toBe(canonicalJson(Object.fromEntries(others)));
      }),
    );
  });

  test('differs where the values differ', () => {
    fc.assert(
      fc.property(json, json, (a, b) => {
        expect(canonicalJson(a) === canonicalJson(b)).toBe(isDeepStrictEqual(a, b));
      }),
    );
  });
});

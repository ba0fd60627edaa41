import { expect, test } from 'vitest';
import { cosine, decodeVectors, encodeVectors } from './vectors.ts';

const vectors = [Float32Array.of(1, 0, 0.5), Float32Array.of(-0.25, 3e-8, 2)];

test('vectors come back bit for bit', () => {
  expect(decodeVectors(encodeVectors(vectors), 2)).toEqual(vectors);
});

test('text that does not hold that many finite vectors of one width is no vectors', () => {
  const text = encodeVectors(vectors);
  expect(decodeVectors(text, 4)).toBeUndefined();
  expect(decodeVectors(text, 0)).toBeUndefined();
  expect(decodeVectors(`${text}x`, 2)).toBeUndefined();
  expect(decodeVectors('', 1)).toBeUndefined();
  expect(decodeVectors(encodeVectors([Float32Array.of(Number.NaN)]), 1)).toBeUndefined();
});

test('the cosine is 1 for the same direction, 0 for right angles and for nothing', () => {
  expect(cosine(Float32Array.of(1, 2), Float32Array.of(2, 4))).toBeCloseTo(1, 6);
  expect(cosine(Float32Array.of(1, 0), Float32Array.of(0, 1))).toBe(0);
  expect(cosine(Float32Array.of(0, 0), Float32Array.of(0, 1))).toBe(0);
});

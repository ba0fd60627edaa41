import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { incentiveVectors, vectorsText } from '../../test/fixtures/incentive-vectors.ts';

/** The contracts are held to the same files by `contracts/test/fuzz`. */
test.each(Object.keys(incentiveVectors))('the vectors in %s.json are what this code computes', (name) => {
  const file = new URL(`../../contracts/test/vectors/${name}.json`, import.meta.url);
  expect(readFileSync(file, 'utf8') === vectorsText(name), 'run scripts/contract-vectors.ts').toBe(true);
});

import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { batchVectors } from '../../../test/kit/batch-vectors.ts';

/** Solidity is held to the same file by `contracts/test/fuzz/BatchVectors.t.sol`. */
const file = new URL('../../../contracts/test/vectors/batch.json', import.meta.url);

test('leaves, trees, payments and verdicts are those that Solidity is held to', () => {
  const made = `${JSON.stringify(batchVectors(), null, 2)}\n`;
  // Where they are meant to change: `WRITE_VECTORS=1 npx vitest run src/core/batch/vectors.test.ts`.
  if (process.env['WRITE_VECTORS'] === '1') writeFileSync(file, made);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(JSON.parse(made));
});

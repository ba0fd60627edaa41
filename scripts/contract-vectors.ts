/** Writes the vectors that contracts and nodes are both held to, from what the nodes' code computes. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { incentiveVectors, vectorsText } from '../test/fixtures/incentive-vectors.ts';
import { root } from './run-program.ts';

for (const name of Object.keys(incentiveVectors)) {
  const path = `contracts/test/vectors/${name}.json`;
  writeFileSync(join(root, path), vectorsText(name));
  console.log(`Wrote ${path}.`);
}

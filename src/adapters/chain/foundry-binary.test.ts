import { accessSync, constants } from 'node:fs';
import { expect, test } from 'vitest';
import { PouwError } from '../../core/errors.ts';
import { foundryBinary } from './foundry-binary.ts';

test('every tool is a program of this platform', () => {
  for (const tool of ['anvil', 'forge', 'cast'] as const) {
    const path = foundryBinary(tool);
    expect(path).toContain(`@foundry-rs/${tool}-${process.platform}-`);
    accessSync(path, constants.X_OK);
  }
});

test('a platform without the tool is named, with what to do', () => {
  let thrown: unknown;
  try {
    foundryBinary('anvil', 'plan9', 'riscv64');
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(PouwError);
  expect(thrown).toMatchObject({
    code: 'foundry_missing',
    class: 'unavailable',
    details: { package: '@foundry-rs/anvil-plan9-riscv64' },
  });
});

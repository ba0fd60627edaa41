import { expect, it } from 'vitest';
import { banner } from './node-run.ts';

it('a node says what it is in two columns, whatever its longest word is', () => {
  expect(banner('router', { ready: { address: '0x1', scheduling: 'preassigned' } })).toBe(
    'The router is up.\n\n  address     0x1\n  scheduling  preassigned\n',
  );
  // As docs/node-operator.md shows it.
  expect(banner('oracle', { ready: { address: '0x1' } })).toBe('The oracle is up.\n\n  address   0x1\n');
});

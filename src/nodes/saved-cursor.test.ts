import { expect, test } from 'vitest';
import type { ChainCursor } from '../ports/chain.ts';
import { readCursor } from './saved-cursor.ts';

const hash = `0x${'a1'.repeat(32)}` as const;

test('a cursor is read as it was saved', () => {
  const cursors: ChainCursor[] = [
    { block: 0, recent: [] },
    { block: 7, reorg: 2, recent: [{ number: 7, hash }] },
  ];
  for (const cursor of cursors) expect(readCursor(JSON.stringify(cursor), 'network')).toEqual(cursor);
});

test.each([
  'junk',
  '',
  'null',
  '[]',
  '{}',
  '{"block":-1,"recent":[]}',
  '{"block":1.5,"recent":[]}',
  '{"block":1,"recent":[{"number":1,"hash":"0x1"}]}',
  '{"block":1,"recent":[],"more":1}',
  '{"block":1,"reorg":"2","recent":[]}',
])('%j is no cursor', (saved) => {
  expect(() => readCursor(saved, 'network')).toThrow(
    expect.objectContaining({
      code: 'chain_cursor_unreadable',
      class: 'corrupt',
      message: 'The saved cursor network says nothing about the chain.',
    }),
  );
});

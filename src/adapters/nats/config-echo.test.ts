import { describe, expect, test } from 'vitest';
import { pouwError, textWith } from '../../../test/features/pouw-error.ts';
import { ignoredFields, requireEcho } from './config-echo.ts';

const asked = {
  name: 'evt',
  subjects: ['a.>', 'b.>'],
  max_age: 0,
  allow_msg_ttl: true,
  metadata: { layout: '1' },
  description: undefined,
};

describe('what a server has made', () => {
  test('is right where it has all that was asked for, whatever else it has', () => {
    const got = { ...asked, storage: 'file', metadata: { layout: '1', '_nats.level': '2' } };
    expect(ignoredFields(asked, got)).toEqual([]);
    expect(() => requireEcho('the stream evt', asked, got)).not.toThrow();
  });

  test('may leave out what was asked for as nothing', () => {
    const { max_age: _, ...got } = asked;
    expect(ignoredFields(asked, got)).toEqual([]);
    expect(ignoredFields({ list: [], table: {}, text: '', flag: false }, {})).toEqual([]);
  });

  test.each([
    { change: { allow_msg_ttl: undefined }, field: 'allow_msg_ttl' },
    { change: { allow_msg_ttl: false }, field: 'allow_msg_ttl' },
    { change: { max_age: 5 }, field: 'max_age' },
    { change: { subjects: ['a.>'] }, field: 'subjects.1' },
    { change: { subjects: ['a.>', 'b.>', 'c.>'] }, field: 'subjects' },
    { change: { subjects: 'a.>' }, field: 'subjects' },
    { change: { metadata: undefined }, field: 'metadata.layout' },
    { change: { metadata: null }, field: 'metadata' },
    { change: { metadata: { layout: '2' } }, field: 'metadata.layout' },
  ])('differs in $field where it has $change', ({ change, field }) => {
    expect(ignoredFields(asked, { ...asked, ...change })).toMatchObject([{ field }]);
  });

  test('is refused with everything that differs', () => {
    const refuse = (): void => requireEcho('the stream evt', asked, { ...asked, name: 'other', allow_msg_ttl: false });
    expect(refuse).toThrow(
      pouwError('nats_config_ignored', {
        message: textWith('the stream evt'),
        details: expect.objectContaining({ fields: ['name', 'allow_msg_ttl'] }) as unknown,
      }),
    );
  });
});

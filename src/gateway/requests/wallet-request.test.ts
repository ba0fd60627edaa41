import { expect, test } from 'vitest';
import type { SessionId } from '../../core/ids.ts';
import { readSessionKey, sessionKeyBody } from './wallet-request.ts';

const session = '31337-de75a151-1' as SessionId;
const body = { key_hash: 'ab'.repeat(32), good_until: 2 ** 40 - 1, signature: `0x${'12'.repeat(64)}` };

test('a signed key is read, and written as it was', () => {
  const read = readSessionKey(session, body);
  expect(read).toMatchObject({ session, signature: { r: `0x${'12'.repeat(32)}`, vs: `0x${'12'.repeat(32)}` } });
  expect(sessionKeyBody(read)).toEqual(body);
});

test.each([
  ['key_hash', `0x${'ab'.repeat(31)}`],
  ['good_until', 2 ** 40],
  ['good_until', -1],
  ['signature', `0x${'12'.repeat(65)}`],
  ['signature', undefined],
])('one whose %s is %j is refused, and the field named', (param, value) => {
  expect(() => readSessionKey(session, { ...body, [param]: value })).toThrow(
    expect.objectContaining({ code: 'invalid_request', param }),
  );
});

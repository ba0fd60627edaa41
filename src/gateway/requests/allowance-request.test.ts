import { expect, test } from 'vitest';
import { allowanceBody, readAllowance } from './allowance-request.ts';

const body = {
  kind: 'pouw.allowance',
  v: 1,
  owner: `0x${'a'.repeat(40)}`,
  session: '31337-de75a151-1',
  router: `0x${'b'.repeat(40)}`,
  limit_wei: (2n ** 96n - 1n).toString(),
  task_limit_wei: '5',
  good_until: 2 ** 40 - 1,
  nonce: (2n ** 256n - 1n).toString(),
  signature: `0x${'1b'.repeat(65)}`,
};

test('an allowance at its bounds is read, and written as it was', () => {
  expect(allowanceBody(readAllowance(body))).toEqual(body);
});

test.each([
  ['kind', 'pouw.permit'],
  ['v', 2],
  ['owner', '0x12'],
  ['session', '1'],
  ['router', null],
  ['limit_wei', (2n ** 96n).toString()],
  ['limit_wei', '-1'],
  ['limit_wei', 5],
  ['task_limit_wei', '1.5'],
  ['good_until', 2 ** 40],
  ['good_until', 1.5],
  ['nonce', (2n ** 256n).toString()],
  ['nonce', '0x1'],
  ['signature', '0x'],
  ['signature', '0xABCD'],
  ['signature', `0x${'00'.repeat(2_049)}`],
])('one whose %s is %j is refused, and the field named', (param, value) => {
  expect(() => readAllowance({ ...body, [param]: value })).toThrow(
    expect.objectContaining({ code: 'invalid_request', param }),
  );
});

import { hashTypedData } from 'viem';
import { expect, test } from 'vitest';
import { type Allowance, allowanceDigest } from './allowance.ts';
import { sessionId, sessionNumber, toAddress } from './ids.ts';
import { wei } from './wei.ts';

const allowances = toAddress(`0x${'a1'.repeat(20)}`);
const allowance: Allowance = {
  owner: toAddress(`0x${'b2'.repeat(20)}`),
  session: sessionId(31_337, toAddress(`0x${'c3'.repeat(20)}`), 7),
  router: toAddress(`0x${'d4'.repeat(20)}`),
  limitWei: wei(2n ** 96n - 1n),
  taskLimitWei: wei(5n),
  goodUntil: 1_800_000_000_000,
  nonce: (2n ** 256n - 1n).toString(),
};

test('what an owner signs is the EIP-712 digest of the contract', () => {
  const { owner, router, limitWei, taskLimitWei, nonce } = allowance;
  const expected = hashTypedData({
    domain: { name: 'pouw Allowances', version: '1', chainId: 31_337, verifyingContract: allowances },
    types: {
      Allowance: [
        { name: 'owner', type: 'address' },
        { name: 'sessionId', type: 'uint64' },
        { name: 'router', type: 'address' },
        { name: 'limitWei', type: 'uint96' },
        { name: 'taskLimitWei', type: 'uint96' },
        { name: 'goodUntil', type: 'uint40' },
        { name: 'nonce', type: 'uint256' },
      ],
    },
    primaryType: 'Allowance',
    message: {
      owner,
      sessionId: sessionNumber(allowance.session),
      router,
      limitWei: BigInt(limitWei),
      taskLimitWei: BigInt(taskLimitWei),
      goodUntil: 1_800_000_000,
      nonce: BigInt(nonce),
    },
  });
  expect(allowanceDigest({ chainId: 31_337, allowances }, allowance)).toBe(expected);
});

test.each<[string, Partial<Allowance>]>([
  ['owner', { owner: allowance.router }],
  ['session', { session: sessionId(31_337, allowances, 8) }],
  ['router', { router: allowance.owner }],
  ['limit', { limitWei: wei(6n) }],
  ['limit of a task', { taskLimitWei: wei(6n) }],
  ['time', { goodUntil: 1_800_000_001_000 }],
  ['nonce', { nonce: '0' }],
])('it is another one for another %s', (_, change) => {
  const of = (one: Allowance, chainId = 31_337) => allowanceDigest({ chainId, allowances }, one);
  expect(of({ ...allowance, ...change })).not.toBe(of(allowance));
  expect(of(allowance, 1)).not.toBe(of(allowance));
});

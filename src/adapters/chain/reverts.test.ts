import { encodeErrorResult } from 'viem';
import { expect, test } from 'vitest';
import { queueAbi, sessionsAbi } from './abi.ts';
import { contractErrors } from './calls.ts';
import { decodeRevert, revertError } from './reverts.ts';

test('names the error of any contract and its arguments', () => {
  const poor = encodeErrorResult({ abi: sessionsAbi, errorName: 'InsufficientBalance', args: [5n, 7n] });
  expect(decodeRevert(contractErrors, poor)).toEqual({
    reason: 'InsufficientBalance',
    args: { availableWei: '5', requiredWei: '7' },
  });
  const exists = encodeErrorResult({ abi: queueAbi, errorName: 'TaskExists', args: [`0x${'ab'.repeat(32)}`] });
  expect(decodeRevert(contractErrors, exists)).toMatchObject({ reason: 'TaskExists' });
});

test('names the errors of Solidity itself', () => {
  const text = encodeErrorResult({
    abi: [{ type: 'error', name: 'Error', inputs: [{ name: 'message', type: 'string' }] }],
    args: ['no'],
  });
  expect(decodeRevert(contractErrors, text)).toEqual({ reason: 'Error', args: { message: 'no' } });
});

test('says that it does not know where nothing was said, or something else', () => {
  expect(decodeRevert(contractErrors, undefined)).toEqual({ reason: 'unknown', args: {} });
  expect(decodeRevert(contractErrors, '0x')).toEqual({ reason: 'unknown', args: {} });
  expect(decodeRevert(contractErrors, '0xdeadbeef')).toEqual({ reason: 'unknown', args: { data: '0xdeadbeef' } });
});

test('makes an error that people and programs can read', () => {
  const error = revertError('deposit', { reason: 'EmptyDeposit', args: {} });
  expect(error).toMatchObject({ code: 'chain_reverted', class: 'conflict', details: { reason: 'EmptyDeposit' } });
  expect(error.explain()).toContain('The contract refused deposit: EmptyDeposit()');
});

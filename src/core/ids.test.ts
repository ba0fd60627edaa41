import { describe, expect, test } from 'vitest';
import { AssertionError } from './assert.ts';
import {
  actorKinds,
  effectId,
  isAddress,
  isSessionId,
  isTaskId,
  parseStreamId,
  roles,
  sessionId,
  type SessionId,
  sessionNumber,
  type StreamId,
  streamId,
  taskId,
  toAddress,
} from './ids.ts';

const contract = toAddress(`0xabcdef01${'23'.repeat(16)}`);

describe('addresses', () => {
  test('are kept in lower case', () => {
    expect(toAddress('0xABCDEFabcdefABCDEFabcdefABCDEFabcdefABCD')).toBe(`0x${'abcdef'.repeat(6)}abcd`);
  });

  test.each([
    '',
    '0x',
    'ab'.repeat(20),
    `0x${'ab'.repeat(19)}`,
    `0x${'ab'.repeat(21)}`,
    `0x${'zz'.repeat(20)}`,
    `0x${'ab'.repeat(20)}\n`,
  ])('%j is none', (text) => {
    expect(isAddress(text)).toBe(false);
    expect(() => toAddress(text)).toThrow(AssertionError);
  });
});

describe('session ids', () => {
  test('name chain, contract and number', () => {
    const id = sessionId(31_337, contract, 42n);
    expect(id).toBe('31337-abcdef01-42');
    expect(isSessionId(id)).toBe(true);
    expect(sessionNumber(id)).toBe(42n);
  });

  test('hold numbers beyond 2^53', () => {
    expect(sessionNumber(sessionId(1, contract, 2n ** 64n))).toBe(2n ** 64n);
  });

  test.each([
    '',
    '1-abcdef01',
    '1-abcdef01-',
    '1-ABCDEF01-2',
    '1-abcdef0-2',
    '-abcdef01-2',
    '1-abcdef01-2-3',
    'a1-abcdef01-2',
  ])('%j is none', (text) => {
    expect(isSessionId(text)).toBe(false);
    expect(() => sessionNumber(text as SessionId)).toThrow(AssertionError);
  });
});

describe('task ids', () => {
  const request = `0x${'11'.repeat(32)}` as const;

  test('are those of the contract: keccak256(abi.encode(session, request))', () => {
    const id = taskId(sessionId(31_337, contract, 1n), request);
    expect(isTaskId(id)).toBe(true);
    // Golden, computed with `cast keccak $(cast abi-encode "f(uint256,bytes32)" 1 0x1111…)`.
    expect(id).toBe('0x8a1a59a536742613f251075415cb3bcfd95758a71bd84e57840cbf9f016f9cf9');
  });

  test('differ by session number and request, not by chain: the contract knows no other', () => {
    const one = taskId(sessionId(31_337, contract, 1n), request);
    expect(taskId(sessionId(31_337, contract, 2n), request)).not.toBe(one);
    expect(taskId(sessionId(31_337, contract, 1n), `0x${'12'.repeat(32)}`)).not.toBe(one);
    expect(taskId(sessionId(1, contract, 1n), request)).toBe(one);
  });

  test.each(['', '0x11', `0x${'1'.repeat(63)}`, `0x${'A'.repeat(64)}`])('%j is none', (text) => {
    expect(isTaskId(text)).toBe(false);
  });
});

describe('stream ids', () => {
  test.each([...actorKinds])('of a %s lead back to it', (kind) => {
    expect(parseStreamId(streamId(kind, '31337-abcdef01-1'))).toEqual({ kind, key: '31337-abcdef01-1' });
  });

  test('are one subject token after the kind, so that no key can reach beyond its subject', () => {
    for (const key of ['', 'a.b', 'a b', '*', '>', 'a:b', 'ä', 'a\n']) {
      expect(() => streamId('session', key), JSON.stringify(key)).toThrow(AssertionError);
    }
  });

  test('of an unknown kind are refused', () => {
    for (const stream of ['stranger.1', 'session', '', '.1']) {
      expect(() => parseStreamId(stream as StreamId), stream).toThrow(AssertionError);
    }
  });
});

test('effect ids name stream, version and place', () => {
  expect(effectId(streamId('miner', '0xab'), 12, 3)).toBe('miner.0xab:12:3');
});

test('the roles are in the order of the contract', () => {
  expect(roles).toEqual(['client', 'router', 'miner', 'validator', 'oracle']);
});

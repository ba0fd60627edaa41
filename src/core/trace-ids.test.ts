import { describe, expect, test } from 'vitest';
import type { Address, EffectId, TaskId } from './ids.ts';
import {
  effectSpanOf,
  jobSpanOf,
  parseTraceparent,
  rootSpanOf,
  spanOfCause,
  submissionSpanOf,
  traceIdOf,
  traceparent,
  transactionSpanOf,
} from './trace-ids.ts';

const task = `0x00112233445566778899aabbccddeeff0123456789abcdef${'f'.repeat(16)}` as TaskId;
const effect = 'session.31337-de75a151-1:4:0' as EffectId;
const txHash = `0x${'ab'.repeat(32)}` as const;
const miner = `0x${'11'.repeat(20)}` as Address;

describe('the ids of a trace', () => {
  test('follow from the task: its first 16 bytes name the trace, the next 8 its root', () => {
    expect(traceIdOf(task)).toBe('00112233445566778899aabbccddeeff');
    expect(rootSpanOf(task)).toBe('0123456789abcdef');
  });

  test('are the same whenever they are asked for, and of 16 digits each', () => {
    const ids = () => [
      submissionSpanOf(task),
      jobSpanOf(task, 0, miner),
      jobSpanOf(task, 1, miner),
      effectSpanOf(effect),
      transactionSpanOf(txHash),
      rootSpanOf(task),
    ];
    expect(ids()).toEqual(ids());
    expect(new Set(ids()).size).toBe(ids().length);
    for (const id of ids()) expect(id).toMatch(/^[0-9a-f]{16}$/);
  });
});

describe('the cause of a commit', () => {
  test.each([
    ['an effect', effect, effectSpanOf(effect)],
    ['a fact of the chain', `chain:${txHash}:12`, transactionSpanOf(txHash)],
    ['a request', `request:${txHash}`, rootSpanOf(task)],
    ['a timer', `timer:${task}/queue`, rootSpanOf(task)],
    ['a cancellation', `cancel:${task}`, rootSpanOf(task)],
    ['something unheard of', 'start', rootSpanOf(task)],
  ])('that is %s names its span', (_, cause, span) => {
    expect(spanOfCause(cause, task)).toBe(span);
  });
});

describe('traceparent', () => {
  test('is read as it is written', () => {
    const header = traceparent(task, effectSpanOf(effect));
    expect(header).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(parseTraceparent(header)).toEqual({ traceId: traceIdOf(task), id: effectSpanOf(effect) });
  });

  test.each([
    undefined,
    '',
    'nonsense',
    `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01`,
    `00-${'1'.repeat(32)}-${'0'.repeat(16)}-01`,
    `00-${'1'.repeat(31)}-${'1'.repeat(16)}-01`,
    `00-${'A'.repeat(32)}-${'1'.repeat(16)}-01`,
  ])('that is %s is none', (header) => {
    expect(parseTraceparent(header)).toBeUndefined();
  });
});

import { describe, expect, it } from 'vitest';
import { type ErrorClass, PouwError } from '../core/errors.ts';
import { errorReply, rejectionError, shownError } from './error-status.ts';

const statuses: readonly (readonly [ErrorClass, number])[] = [
  ['invalid', 400],
  ['unauthorised', 401],
  ['payment', 402],
  ['forbidden', 403],
  ['not-found', 404],
  ['conflict', 409],
  ['too-large', 413],
  ['busy', 429],
  ['corrupt', 500],
  ['internal', 500],
  ['unavailable', 503],
  ['timeout', 504],
];

/** The statuses that OpenAI's clients repeat by themselves. */
const repeated = (status: number): boolean => status === 408 || status === 409 || status === 429 || status >= 500;

describe('an error', () => {
  it.each(statuses)('of class %s has the status %i', (errorClass, status) => {
    expect(errorReply(new PouwError('code', 'message', { class: errorClass })).status).toBe(status);
  });

  it.each(statuses)('of class %s is repeated by clients only where that can help', (errorClass) => {
    const { status, headers } = errorReply(new PouwError('code', 'message', { class: errorClass }));
    const advice = headers['x-should-retry'];
    expect(advice === undefined || advice === 'false' || repeated(status)).toBe(true);
    expect(headers['retry-after'] !== undefined).toBe(advice === 'true');
  });

  it('tells the whole story in its message and keeps the parts', () => {
    const error = new PouwError('insufficient_balance', 'Too little.', {
      class: 'payment',
      why: 'It was spent.',
      hint: 'Deposit 5 wei.',
      param: 'max_tokens',
      details: { topUpWei: '5' },
    });
    expect(errorReply(error).body).toEqual({
      error: {
        message: 'Too little. It was spent. Deposit 5 wei.',
        type: 'insufficient_quota',
        param: 'max_tokens',
        code: 'insufficient_balance',
        hint: 'Deposit 5 wei.',
        details: { topUpWei: '5' },
      },
    });
  });

  it('that knows that another try is worth nothing invites to none', () => {
    const error = new PouwError('task_exhausted', 'Over.', { class: 'unavailable', details: { retry: false } });
    const { status, headers } = errorReply(error);
    expect({ status, headers }).toEqual({ status: 503, headers: { 'x-should-retry': 'false' } });
  });

  it('that knows when another try is worth it says so, in whole seconds and in milliseconds', () => {
    const error = new PouwError('queue_full', 'Full.', { class: 'busy', details: { retryAfterMs: 3_400 } });
    expect(errorReply(error).headers).toMatchObject({ 'retry-after': '4', 'retry-after-ms': '3400' });
    expect(errorReply(new PouwError('session_busy', 'Busy.', { class: 'busy' })).headers).toMatchObject({
      'retry-after': '1',
    });
  });

  it('that is not ours says nothing about itself', () => {
    const shown = shownError(new TypeError('x is undefined'));
    expect(errorReply(shown).status).toBe(500);
    expect(JSON.stringify(errorReply(shown).body)).not.toContain('undefined');
  });

  it('keeps class, hint and details of the refusal it was made of', () => {
    const refusal = {
      code: 'session_busy',
      message: 'Busy.',
      class: 'busy',
      hint: 'Wait.',
      details: { open: 3 },
    } as const;
    expect(rejectionError(refusal)).toMatchObject(refusal);
  });
});

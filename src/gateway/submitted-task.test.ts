import { describe, expect, it } from 'vitest';
import type { PouwError } from '../core/errors.ts';
import type { TaskUpdate } from '../ports/gateway-network.ts';
import { gatherAnswer } from './answers/gather.ts';
import { errorReply } from './error-status.ts';
import { followSubmitted } from './submitted-task.ts';

const failure = { code: 'task_exhausted', message: 'Nobody delivered it.', class: 'unavailable' };

/** What a request is told whose task has not been delivered. */
async function toldOf(headers: Record<string, string>): Promise<ReturnType<typeof errorReply>> {
  const request = { headers, exchange: { signal: new AbortController().signal } };
  async function* updates(): AsyncGenerator<TaskUpdate> {
    yield { type: 'failed', failure, view: {} } as never;
  }
  const handle = { task: '0x1', created: true, updates: updates() };
  const follow = async ({ updates: words }: { updates: AsyncIterable<TaskUpdate> }) => gatherAnswer(words);
  const error: unknown = await followSubmitted({} as never, request as never, handle as never, follow as never).catch(
    (thrown: unknown) => thrown,
  );
  return errorReply(error as PouwError);
}

describe('a task that was not delivered', () => {
  it('invites to another try where that makes a new task', async () => {
    const { status, headers } = await toldOf({});
    expect({ status, retry: headers['x-should-retry'], after: headers['retry-after'] }).toEqual({
      status: 503,
      retry: 'true',
      after: '2',
    });
  });

  it('invites to none where the same key brings the same task again, and says what to do', async () => {
    const { status, headers, body } = await toldOf({ 'idempotency-key': 'once' });
    expect({ status, headers }).toEqual({ status: 503, headers: { 'x-should-retry': 'false' } });
    expect(body.error).toMatchObject({ code: 'task_exhausted', details: { retry: false } });
    expect(body.error.message).toContain('another one makes a new task');
  });
});

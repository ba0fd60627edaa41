import { expect, test } from 'vitest';
import type { TaskId } from '../../core/ids.ts';
import type { EmbedRequest, TaskHandle } from '../../ports/gateway-network.ts';
import { embedByTasks } from './embed.ts';

/** The updates of a task that ends with a text. */
async function* endingWith(text: string | null, unreadable: object | null = null): AsyncGenerator<object> {
  await Promise.resolve();
  yield { type: 'accepted' };
  yield { type: 'verdict', view: { text, unreadable, promptTokens: 1 } };
}

test('a result that holds no vectors for its texts is no answer', async () => {
  const task = `0x${'ab'.repeat(32)}` as TaskId;
  for (const text of ['', 'no vectors', '[[1]]']) {
    const handle = { task, updates: endingWith(text) } as unknown as TaskHandle;
    const ports = { submit: async () => handle, cancel: async () => undefined };
    const request = { model: 'pebble-embed', texts: ['one', 'two'] } as unknown as EmbedRequest;
    const embedding = embedByTasks(ports, request, new AbortController().signal);
    await expect(embedding, text).rejects.toMatchObject({ code: 'result_malformed', class: 'unavailable' });
  }
});

test('a result that cannot be read is refused with the reason', async () => {
  const task = `0x${'ab'.repeat(32)}` as TaskId;
  const updates = endingWith(null, { code: 'content_not_found', reason: 'No content.' });
  const ports = {
    submit: async () => ({ task, updates }) as unknown as TaskHandle,
    cancel: async () => undefined,
  };
  const request = { model: 'pebble-embed', texts: ['one'] } as unknown as EmbedRequest;
  const embedding = embedByTasks(ports, request, new AbortController().signal);
  await expect(embedding).rejects.toMatchObject({ code: 'result_unreadable', why: 'No content.' });
});

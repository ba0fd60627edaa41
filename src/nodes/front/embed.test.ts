import { expect, test } from 'vitest';
import type { TaskId } from '../../core/ids.ts';
import type { EmbedRequest, TaskHandle } from '../../ports/gateway-network.ts';
import { embedByTasks } from './embed.ts';

/** The updates of a task that ends with a text. */
async function* endingWith(text: string | null): AsyncGenerator<object> {
  await Promise.resolve();
  yield { type: 'accepted' };
  yield { type: 'verdict', view: { text, promptTokens: 1 } };
}

test('a result that holds no vectors for its texts is no answer', async () => {
  const task = `0x${'ab'.repeat(32)}` as TaskId;
  for (const text of [null, '', 'no vectors', '[[1]]']) {
    const handle = { task, updates: endingWith(text) } as unknown as TaskHandle;
    const ports = { submit: async () => handle, cancel: async () => undefined };
    const request = { model: 'pebble-embed', texts: ['one', 'two'] } as unknown as EmbedRequest;
    const embedding = embedByTasks(ports, request, new AbortController().signal);
    await expect(embedding, String(text)).rejects.toMatchObject({ code: 'result_malformed', class: 'unavailable' });
  }
});

import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { ask, type ClientTarget, get, openai, post, rest, type Target } from './client-target.ts';

type Update = Readonly<Record<string, unknown>>;

/** Sessions and tasks over native REST, events and WebSocket. */
export function nativeChecks(target: Target): void {
  test('sees its session, and only its own', async () => {
    const { data } = (await rest(target(), '/v1/sessions')) as {
      data: { id: string; money: { balance_wei: string } }[];
    };
    expect(data).toHaveLength(1);
    expect(await rest(target(), `/v1/sessions/${data[0]!.id}`)).toMatchObject({
      object: 'pouw.session',
      state: 'open',
    });
    expect(BigInt(data[0]!.money.balance_wei)).toBeGreaterThan(0n);
    const foreign = await get(target(), '/v1/sessions/1-00000000-1');
    expect(foreign.status).toBe(404);
  });

  test('submits a task, finds it in the list, and follows it by events and by socket', async () => {
    const { data } = (await rest(target(), '/v1/sessions')) as { data: { id: string }[] };
    const messages = [{ role: 'user', content: target().longQuestion }];
    const accepted = await post(target(), `/v1/sessions/${data[0]!.id}/tasks`, { messages, max_tokens: 20 });
    expect(accepted.status).toBe(202);
    const { id: task } = (await accepted.json()) as { id: string };
    const [events, messagesSeen] = await Promise.all([taskEvents(target(), task), socketMessages(target(), task)]);
    for (const updates of [events, messagesSeen]) {
      expect(updates[0]).toMatchObject({ type: 'state' });
      expect(updates.at(-1)).toMatchObject({ type: 'verdict', task: { id: task, state: 'settled' } });
      const text = updates.map((update) => (update['text'] ?? '') as string).join('');
      expect(text).toBe((updates.at(-1)!['task'] as { text: string }).text);
    }
    const listed = (await rest(target(), `/v1/sessions/${data[0]!.id}/tasks?limit=100`)) as { data: { id: string }[] };
    expect(listed.data.map(({ id }) => id)).toContain(task);
  });

  test('gets the same task again for the same idempotency key', async () => {
    const headers = { 'idempotency-key': `check-${process.hrtime.bigint()}` };
    const request = ask(target(), 'Hello', { max_tokens: 8 });
    const first = await openai(target()).chat.completions.create(request, { headers });
    const second = await openai(target()).chat.completions.create(request, { headers });
    expect(second.id).toBe(first.id);
    expect(second.choices).toEqual(first.choices);
  });
}

async function taskEvents(target: ClientTarget, task: string): Promise<readonly Update[]> {
  const text = await (await get(target, `/v1/tasks/${task}/events`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith('data: '));
  return lines.map((line) => JSON.parse(line.slice('data: '.length)) as Update);
}

async function socketMessages({ url, apiKey }: ClientTarget, task: string): Promise<readonly Update[]> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/tasks/${task}/stream`, ['pouw.v1', `key.${apiKey}`]);
  const updates: Update[] = [];
  return new Promise((resolve, reject) => {
    socket.on('message', (data: Buffer) => updates.push(JSON.parse(data.toString()) as Update));
    socket.on('close', () => resolve(updates));
    socket.on('error', reject);
  });
}

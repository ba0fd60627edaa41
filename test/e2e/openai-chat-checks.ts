import type OpenAI from 'openai';
import { expect, test } from 'vitest';
import { ask, type ClientTarget, collect, openai, rest, type Target } from './client-target.ts';

type Chunk = OpenAI.Chat.ChatCompletionChunk;
/** What this network adds to answers, and to the last chunk of a stream. */
interface Extras {
  readonly x_pouw?: Readonly<Record<string, unknown>> & { readonly task: string; readonly session: string };
}

/** Chat answers in one piece. */
export function chatChecks(target: Target): void {
  test('gets an answer with usage and what stands behind it', async () => {
    const answer = await openai(target()).chat.completions.create(ask(target(), 'Hello', { max_tokens: 32 }));
    expect(answer).toMatchObject({ object: 'chat.completion', model: target().model });
    expect(answer.id).toMatch(/^chatcmpl-[0-9a-f]{64}$/);
    expect(answer.created).toBeGreaterThan(1_700_000_000);
    const [choice] = answer.choices;
    expect(choice!.message).toMatchObject({ role: 'assistant' });
    expect(choice!.message.content!.length).toBeGreaterThan(0);
    const { prompt_tokens: prompt, completion_tokens: output, total_tokens: total } = answer.usage!;
    expect(prompt).toBeGreaterThan(0);
    expect(output).toBeGreaterThan(0);
    expect(total).toBe(prompt + output);
    const proof = (answer as Extras).x_pouw!;
    expect(proof).toMatchObject({ state: 'settled', shown_text_won: true });
    expect(proof['winner']).toMatch(/^0x[0-9a-f]{40}$/);
    expect(proof['cid']).toMatch(/^b[a-z2-7]{60}$/);
    const task = await rest(target(), `/v1/tasks/${proof.task}`);
    expect(task).toMatchObject({ id: proof.task, text: choice!.message.content, winner: proof['winner'] });
  });

  test('is cut off at max_tokens and says so', async () => {
    const answer = await openai(target()).chat.completions.create(
      ask(target(), target().longQuestion, { max_tokens: 5 }),
    );
    expect(answer.choices[0]!.finish_reason).toBe('length');
    expect(answer.usage!.completion_tokens).toBe(5);
  });

  test('ends at a stop string, which is not part of the answer', async () => {
    const whole = await openai(target()).chat.completions.create(ask(target(), target().longQuestion));
    const text = whole.choices[0]!.message.content!;
    const stop = text.slice(20, 26);
    const stopped = await openai(target()).chat.completions.create(ask(target(), target().longQuestion, { stop }));
    expect(stopped.choices[0]).toMatchObject({ finish_reason: 'stop' });
    expect(stopped.choices[0]!.message.content).toBe(text.slice(0, text.indexOf(stop)));
  });

  test('reads log-probabilities in their usual shape', async () => {
    const options = { logprobs: true, top_logprobs: 3, max_tokens: 4 };
    const answer = await openai(target()).chat.completions.create(ask(target(), target().longQuestion, options));
    const tokens = answer.choices[0]!.logprobs!.content!;
    expect(tokens).toHaveLength(4);
    expect(tokens.map(({ token }) => token).join('')).toBe(answer.choices[0]!.message.content);
    for (const { token, logprob, bytes, top_logprobs: top } of tokens) {
      expect(Buffer.from(bytes!).toString()).toBe(token);
      expect(top).toHaveLength(3);
      expect(top[0]).toMatchObject({ token, logprob });
      expect(logprob).toBeLessThanOrEqual(0);
    }
  });

  test('may send content in parts, as developer, and with fields nobody knows', async () => {
    const { model } = target();
    const plain = ask(target(), 'Hello', { max_tokens: 16 });
    const fancy = {
      model,
      max_completion_tokens: 16,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Hel' },
            { type: 'text', text: 'lo' },
          ],
        },
      ],
      seed: 7,
      tools: [],
      user: 'somebody',
      metadata: { a: 'b' },
      stop: null,
      made_up_field: true,
    };
    const [one, other] = await Promise.all([
      openai(target()).chat.completions.create(plain),
      openai(target()).chat.completions.create(fancy as unknown as OpenAI.Chat.ChatCompletionCreateParamsNonStreaming),
    ]);
    expect(other.choices[0]!.message.content).toBe(one.choices[0]!.message.content);
  });
}

/** Chat answers as streams. */
export function streamChecks(target: Target): void {
  test('streams the same answer in chunks that agree on who they are', async () => {
    const whole = await openai(target()).chat.completions.create(ask(target(), target().longQuestion));
    const chunks = await collect(
      await openai(target()).chat.completions.create(streamed(target(), { stream_options: { include_usage: true } })),
    );
    expect(chunks[0]!.choices[0]!.delta).toMatchObject({ role: 'assistant' });
    expect(chunks.map(textOf).join('')).toBe(whole.choices[0]!.message.content);
    expect(new Set(chunks.map(({ id, created, model }) => `${id} ${created} ${model}`)).size).toBe(1);
    const last = chunks.at(-1)! as Chunk & Extras;
    expect(last).toMatchObject({ choices: [], usage: whole.usage, x_pouw: { state: 'settled', shown_text_won: true } });
    const finish = chunks.at(-2)!.choices[0]!;
    expect(finish).toMatchObject({ delta: {}, finish_reason: whole.choices[0]!.finish_reason });
    expect(chunks.filter((chunk) => chunk.choices[0]?.finish_reason)).toHaveLength(1);
  });

  test('has no usage chunk unless it asks for one; the last chunk carries the proof all the same', async () => {
    const chunks = await collect(await openai(target()).chat.completions.create(streamed(target(), { max_tokens: 5 })));
    const last = chunks.at(-1)! as Chunk & Extras;
    expect(last.choices[0]!.finish_reason).toBe('length');
    expect(last.usage).toBeUndefined();
    expect(last.x_pouw!['cid']).toMatch(/^b/);
  });

  test('reads the first token while the miner is still generating', async () => {
    const stream = await openai(target()).chat.completions.create(streamed(target()));
    let stateAtFirst: unknown;
    for await (const chunk of stream) {
      if (textOf(chunk) === '' || stateAtFirst !== undefined) continue;
      stateAtFirst = (await rest(target(), `/v1/tasks/${taskOf(chunk)}`))['state'];
    }
    expect(['assigned', 'executing']).toContain(stateAtFirst);
  });

  test('reads nothing before the verdict where it asks for a verified stream', async () => {
    const verified = streamed(target(), { max_tokens: 24, x_pouw: { delivery: 'verified' } });
    const stream = await openai(target()).chat.completions.create(verified);
    let stateAtFirst: unknown;
    for await (const chunk of stream) {
      if (textOf(chunk) === '' || stateAtFirst !== undefined) continue;
      stateAtFirst = (await rest(target(), `/v1/tasks/${taskOf(chunk)}`))['state'];
    }
    expect(['validated', 'settled']).toContain(stateAtFirst);
  });

  test('streams log-probabilities, one for each token', async () => {
    const options = { logprobs: true, top_logprobs: 2, max_tokens: 12 };
    const chunks = await collect(await openai(target()).chat.completions.create(streamed(target(), options)));
    const tokens = chunks.flatMap((chunk) => chunk.choices[0]?.logprobs?.content ?? []);
    expect(tokens).toHaveLength(12);
    expect(tokens.map(({ token }) => token).join('')).toBe(chunks.map(textOf).join(''));
  });

  test('frees its miners when it aborts', async () => {
    const controller = new AbortController();
    const stream = await openai(target()).chat.completions.create(streamed(target()), { signal: controller.signal });
    let task = '';
    await expect(async () => {
      for await (const chunk of stream) {
        task = taskOf(chunk);
        if (textOf(chunk) !== '') controller.abort();
      }
      // The client ends its iteration without an error when it aborts itself.
      throw new Error('ended');
    }).rejects.toThrow(/ended|abort/i);
    await expect
      .poll(async () => (await rest(target(), `/v1/tasks/${task}`))['state'], { timeout: 60_000 })
      .toBe('refunded');
    expect(await rest(target(), `/v1/tasks/${task}`)).toMatchObject({
      price_wei: '0',
      failure: { code: 'task_cancelled' },
    });
  });
}

function streamed(target: ClientTarget, options: object = {}): OpenAI.Chat.ChatCompletionCreateParamsStreaming {
  return { ...ask(target, target.longQuestion, options), stream: true };
}

function textOf(chunk: Chunk): string {
  return chunk.choices[0]?.delta.content ?? '';
}

function taskOf({ id }: Chunk): string {
  return `0x${id.slice('chatcmpl-'.length)}`;
}

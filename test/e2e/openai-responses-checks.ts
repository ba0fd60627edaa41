import type OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { type ClientTarget, collect, openai, post, rest, type Target } from './client-target.ts';

type Event = OpenAI.Responses.ResponseStreamEvent;
type Create = OpenAI.Responses.ResponseCreateParamsNonStreaming;
/** What this network adds to a response that has ended. */
interface Extras {
  readonly x_pouw?: Readonly<Record<string, unknown>> & { readonly task: string };
}

/** Responses, in one piece and as typed events. */
export function responsesChecks(target: Target): void {
  describe('responses', () => {
    wholeChecks(target);
    streamedChecks(target);
    refusedChecks(target);
  });
}

function wholeChecks(target: Target): void {
  test('gets a response with usage and what stands behind it', async () => {
    const metadata = { order: '7' };
    const response = await create(target(), {
      input: 'Hello',
      metadata,
      store: true,
      unheard_of: 1,
    } as Partial<Create>);
    expect(response).toMatchObject({ object: 'response', status: 'completed', model: target().model, metadata });
    expect(response).toMatchObject({ error: null, incomplete_details: null, instructions: null, store: false });
    expect(response.id).toMatch(/^resp_[0-9a-f]{64}$/);
    expect(response.created_at).toBeGreaterThan(1_700_000_000);
    expect(response.output).toEqual([
      {
        id: response.id.replace('resp_', 'msg_'),
        type: 'message',
        role: 'assistant',
        status: 'completed',
        content: [{ type: 'output_text', text: response.output_text, annotations: [], logprobs: [] }],
      },
    ]);
    const { input_tokens: input, output_tokens: output, total_tokens: total } = response.usage!;
    expect([input > 0, output > 0, total]).toEqual([true, true, input + output]);
    const proof = (response as Extras).x_pouw!;
    expect(proof).toMatchObject({ state: 'settled', shown_text_won: true, task: taskOf(response.id) });
    const task = await rest(target(), `/v1/tasks/${proof.task}`);
    expect(task).toMatchObject({ text: response.output_text, winner: proof['winner'] });
  });

  test('reads messages as chat does, its own earlier output among them', async () => {
    const { model } = target();
    const first = await create(target(), { instructions: 'Be brief.', input: 'Hello', max_output_tokens: 16 });
    const next = 'What is a dog?';
    const response = await create(target(), {
      instructions: 'Be brief.',
      input: [
        { role: 'user', content: 'Hello' },
        ...first.output,
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: next }] },
      ] as OpenAI.Responses.ResponseInput,
      max_output_tokens: 16,
    });
    const chat = await openai(target()).chat.completions.create({
      model,
      max_completion_tokens: 16,
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hello' },
        { role: 'assistant', content: first.output_text },
        { role: 'user', content: next },
      ],
    });
    expect(response.output_text).toBe(chat.choices[0]!.message.content);
    expect(response.usage!.input_tokens).toBe(chat.usage!.prompt_tokens);
    expect(response.instructions).toBe('Be brief.');
  });

  test('is incomplete where it is cut off, and says why', async () => {
    const response = await create(target(), { max_output_tokens: 5 });
    expect(response).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      max_output_tokens: 5,
      output: [{ status: 'incomplete' }],
      usage: { output_tokens: 5 },
    });
  });

  test('reads log-probabilities where it includes them', async () => {
    const include = ['message.output_text.logprobs'] as const;
    const response = await create(target(), { include: [...include], top_logprobs: 2, max_output_tokens: 4 });
    const [message] = response.output as OpenAI.Responses.ResponseOutputMessage[];
    const [part] = message!.content as OpenAI.Responses.ResponseOutputText[];
    expect(part!.logprobs!.map(({ token }) => token).join('')).toBe(response.output_text);
    expect(part!.logprobs!.map(({ top_logprobs: top }) => top.length)).toEqual([2, 2, 2, 2]);
  });

  test('gets the same response to the same request, under its idempotency key', async () => {
    const headers = { 'Idempotency-Key': 'a response' };
    const request = { model: target().model, input: 'Hello', max_output_tokens: 8 };
    const first = await openai(target()).responses.create(request, { headers });
    expect((await openai(target()).responses.create(request, { headers })).id).toBe(first.id);
  });
}

function streamedChecks(target: Target): void {
  const long = (): Create => ({ model: target().model, input: target().longQuestion, max_output_tokens: 24 });

  test('streams typed events in their order', async () => {
    const whole = await openai(target()).responses.create(long());
    const events = await collect(await openai(target()).responses.create({ ...long(), stream: true }));
    expect(events.map(({ sequence_number: number }) => number)).toEqual(events.map((_, index) => index));
    const kinds = events.map(({ type }) => type.replace('response.', ''));
    const deltas = events.flatMap((event) => (event.type === 'response.output_text.delta' ? [event.delta] : []));
    const opening = ['created', 'in_progress', 'output_item.added', 'content_part.added'];
    const closing = ['output_text.done', 'content_part.done', 'output_item.done', 'incomplete'];
    expect(kinds).toEqual([...opening, ...deltas.map(() => 'output_text.delta'), ...closing]);
    expect(deltas.length).toBeGreaterThan(10);
    expect(deltas.join('')).toBe(whole.output_text);
    expect(responseOf(events[0]!)).toMatchObject({ status: 'in_progress', output: [], usage: null });
    const last = responseOf(events.at(-1)!);
    expect(last).toMatchObject({ id: responseOf(events[0]!).id, status: 'incomplete', usage: whole.usage });
    expect(last.output).toMatchObject([{ content: [{ text: whole.output_text }] }]);
    expect((last as Extras).x_pouw).toMatchObject({ task: taskOf(last.id), state: 'settled', shown_text_won: true });
    expect((whole as Extras).x_pouw!['winner']).toMatch(/^0x/);
  });

  test("satisfies the client's own helper, verified text too", async () => {
    const { model } = target();
    const verified = { x_pouw: { delivery: 'verified' } };
    const stream = openai(target()).responses.stream({ model, input: 'Hello', ...verified });
    let state: unknown;
    for await (const event of stream) {
      if (event.type !== 'response.output_text.delta' || state !== undefined) continue;
      state = (await rest(target(), `/v1/tasks/${taskOf(event.item_id)}`))['state'];
    }
    const response = await stream.finalResponse();
    expect(response.status).toBe('completed');
    expect(response.output_text.length).toBeGreaterThan(0);
    expect(['validated', 'settled']).toContain(state);
  });

  test('names its events, and gives the words the places to go on after', async () => {
    const response = await post(target(), '/v1/responses', { ...long(), stream: true });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const blocks = (await response.text())
      .trim()
      .split('\n\n')
      .filter((block) => !block.startsWith(':'));
    const events = blocks.map((block) => /^(?:id: (\d+)\n)?event: (.+)\ndata: (.+)$/.exec(block)!);
    expect(events.map(([, , name]) => name)).toEqual(events.map(([, , , data]) => (JSON.parse(data!) as Event).type));
    // The rest of the text may come without a token of its own, at the end.
    const withPlace = events.filter(([, id]) => id !== undefined).map(([, , name]) => name);
    expect(new Set(withPlace)).toEqual(new Set(['response.output_text.delta']));
    const [, after, , data] = events[4]!;
    const { item_id: item } = JSON.parse(data!) as { item_id: string };
    const headers = { authorization: `Bearer ${target().apiKey}`, 'last-event-id': after! };
    const resumed = await fetch(`${target().url}/v1/tasks/${taskOf(item)}/stream`, { headers });
    expect(/^id: (\d+)$/m.exec(await resumed.text())![1]).toBe(`${Number(after) + 1}`);
  });

  test('frees its miners when it aborts', async () => {
    const controller = new AbortController();
    const request = { ...long(), max_output_tokens: 200, stream: true } as const;
    const stream = await openai(target()).responses.create(request, { signal: controller.signal });
    let task = '';
    for await (const event of stream) {
      if (event.type === 'response.created') task = taskOf(event.response.id);
      if (event.type === 'response.output_text.delta') controller.abort();
    }
    await expect
      .poll(async () => rest(target(), `/v1/tasks/${task}`), { timeout: 60_000 })
      .toMatchObject({ state: 'refunded', price_wei: '0', failure: { code: 'task_cancelled' } });
  });
}

function refusedChecks(target: Target): void {
  test.each([
    ['tools', { tools: [{ type: 'web_search' }] }],
    ['background', { background: true }],
    ['previous_response_id', { previous_response_id: 'resp_1' }],
    ['input[0].content[0]', { input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'x' }] }] }],
  ])('gets 400 for %s, which cannot be honoured', async (param, change) => {
    const error = { status: 400, code: 'unsupported_parameter', type: 'invalid_request_error', param };
    await expect(create(target(), change as Partial<Create>)).rejects.toMatchObject(error);
  });

  test.each([
    [400, 'invalid_request', { input: [] }],
    [400, 'model_kind_mismatch', {}],
    [404, 'model_not_found', { model: 'somebody/unknown' }],
    [413, 'prompt_too_long', { input: 'x'.repeat(131_073) }],
  ])('gets %d %s as chat does', async (status, code, change) => {
    const model = code === 'model_kind_mismatch' ? { model: target().embeddingModel } : {};
    await expect(create(target(), { ...model, ...change })).rejects.toMatchObject({ status, code });
  });

  test('gets 402 when the session is out of funds, in one piece and as a stream', async () => {
    const poor = openai(target(), target().poorApiKey);
    const request = { model: target().model, input: 'Hello' };
    const error = { status: 402, code: 'insufficient_balance' };
    await expect(poor.responses.create(request)).rejects.toMatchObject(error);
    await expect(poor.responses.create({ ...request, stream: true })).rejects.toMatchObject(error);
  });
}

function create(target: ClientTarget, change: Partial<Create>): Promise<OpenAI.Responses.Response> {
  return openai(target).responses.create({ model: target.model, input: target.longQuestion, ...change });
}

function responseOf(event: Event): OpenAI.Responses.Response {
  if (!('response' in event)) throw new Error(`${event.type} has no response`);
  return event.response;
}

/** The task behind the id of a response or of its message. */
function taskOf(id: string): string {
  return `0x${id.slice(id.indexOf('_') + 1)}`;
}

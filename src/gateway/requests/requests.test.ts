import { describe, expect, it } from 'vitest';
import { limits } from '../../core/limits.ts';
import { readChatRequest } from './chat-request.ts';
import { readCompletionRequest } from './completion-request.ts';
import { checkDecoded, readEmbeddingsRequest } from './embeddings-request.ts';
import { readTaskRequest } from './session-requests.ts';
import { defaultMaxTokens } from './task-fields.ts';

const user = { role: 'user', content: 'Hi' };
const chat = (change: object = {}): ReturnType<typeof readChatRequest> =>
  readChatRequest({ model: 'm', messages: [user], ...change });
const chatOf = (...messages: object[]): ReturnType<typeof readChatRequest> => chat({ messages });
const many = (length: number): object[] => Array.from({ length }, () => user);

const completion = (change: object): ReturnType<typeof readCompletionRequest> =>
  readCompletionRequest({ model: 'm', ...change });
const inputs = (length: number): string[] => Array.from({ length }, () => 'a');

describe('a chat request', () => {
  it('that says nothing else is greedy, bounded and not streamed', () => {
    expect(chat()).toEqual({
      task: {
        model: 'm',
        prompt: { messages: [{ role: 'user', content: 'Hi' }] },
        sampling: { temperature: 0, topP: 1, topK: 0 },
        maxTokens: defaultMaxTokens,
        stop: [],
        topLogprobs: 0,
      },
      stream: false,
      includeUsage: false,
      delivery: 'fast',
      topLogprobs: undefined,
    });
  });

  it('carries every field that is honoured', () => {
    const fields = { temperature: 0.7, top_p: 0.9, top_k: 40, max_tokens: 5, stop: 'END', seed: 1, logprobs: true };
    const pouw = { x_pouw: { delivery: 'verified', max_price_wei: '12' } };
    expect(chat({ ...fields, top_logprobs: 4, ...pouw })).toMatchObject({
      task: {
        sampling: { temperature: 0.7, topP: 0.9, topK: 40 },
        maxTokens: 5,
        stop: ['END'],
        topLogprobs: 4,
        maxPriceWei: '12',
      },
      delivery: 'verified',
      topLogprobs: 4,
    });
  });

  it('may leave any field null, and send fields nobody knows', () => {
    const nulls = { temperature: null, max_tokens: null, stop: null, stream: null, tools: null, n: null, x_pouw: null };
    expect(chat({ ...nulls, stream_options: null, unheard_of: { of: 1 } })).toEqual(chat());
  });

  it('prefers the newer name of the bound on tokens', () => {
    expect(chat({ max_tokens: 5, max_completion_tokens: 6 }).task.maxTokens).toBe(6);
  });

  it('asks for one alternative where it wants log-probabilities without any, and shows none', () => {
    expect(chat({ logprobs: true })).toMatchObject({ task: { topLogprobs: 1 }, topLogprobs: 0 });
    expect(chat({ top_logprobs: 3 })).toMatchObject({ task: { topLogprobs: 0 }, topLogprobs: undefined });
  });

  it('joins the parts of a content, and takes a developer for the system', () => {
    const parts = [
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
    ];
    expect(chatOf({ role: 'developer', content: parts }, { role: 'assistant', content: null }).task.prompt).toEqual({
      messages: [
        { role: 'system', content: 'ab' },
        { role: 'assistant', content: '' },
      ],
    });
  });

  it.each([
    ['a user message without a content', { role: 'user' }],
    ['a user message whose content is null', { role: 'user', content: null }],
    ['a system message without a content', { role: 'system' }],
    ['a content of no parts', { role: 'user', content: [] }],
  ])('with %s is refused: it would be paid for and say nothing', (_what, message) => {
    const refusal = { code: 'invalid_request', param: 'messages[0].content' };
    expect(() => chatOf(message)).toThrow(expect.objectContaining(refusal) as Error);
  });

  it.each([
    [{ stop: ['a', 'b', 'c', 'd', 'e'] }, 'stop', `<=${limits.stopStringsMax} items`],
    [
      { stop: ['a', 's'.repeat(limits.stopStringCharsMax + 1)] },
      'stop[1]',
      `<=${limits.stopStringCharsMax} characters`,
    ],
    [{ stop: 5 }, 'stop', 'expected string or array'],
    [{ temperature: 3 }, 'temperature', '<=2'],
    [{ max_tokens: limits.outputTokensMax + 1 }, 'max_tokens', `<=${limits.outputTokensMax}`],
  ])('that is refused for %j is told the bound', (change, param, bound) => {
    const message = expect.stringContaining(bound) as string;
    expect(() => chat(change)).toThrow(expect.objectContaining({ param, message }) as Error);
  });

  it('without a body is told so', () => {
    const message = 'The request has no body.';
    expect(() => readChatRequest(undefined)).toThrow(
      expect.objectContaining({ code: 'invalid_request', message }) as Error,
    );
  });

  it.each([
    ['image', { role: 'user', content: [{ type: 'image_url', image_url: {} }] }, 'messages[0].content[0]'],
    [
      'audio',
      { role: 'user', content: [{ type: 'text', text: '' }, { type: 'input_audio' }] },
      'messages[0].content[1]',
    ],
    ['tool result', { role: 'tool', content: '1', tool_call_id: 'x' }, 'messages[0]'],
    ['tool call', { role: 'assistant', tool_calls: [{ id: 'x' }] }, 'messages[0]'],
  ])('with an %s is refused by name', (_what, message, param) => {
    expect(() => chatOf(message)).toThrow(expect.objectContaining({ code: 'unsupported_parameter', param }) as Error);
  });

  it.each([
    ['n', 2],
    ['frequency_penalty', 0.5],
    ['presence_penalty', -1],
    ['logit_bias', { 1: 2 }],
    ['tools', [{}]],
    ['functions', [{}]],
    ['audio', { voice: 'x' }],
    ['modalities', ['text', 'audio']],
    ['web_search_options', {}],
    ['response_format', { type: 'json_object' }],
  ])('that sets %s to %j is refused, since it could not be honoured', (param, value) => {
    const refusal = expect.objectContaining({ code: 'unsupported_parameter', class: 'invalid', param }) as Error;
    expect(() => chat({ [param]: value })).toThrow(refusal);
  });

  it('may set what cannot be honoured to what it is anyway', () => {
    const idle = { n: 1, frequency_penalty: 0, presence_penalty: 0, logit_bias: {}, tools: [], modalities: ['text'] };
    expect(chat({ ...idle, response_format: { type: 'text' } })).toEqual(chat());
  });

  it('may be as large as the bounds, and no larger', () => {
    const stop = 's'.repeat(limits.stopStringCharsMax);
    const stops = Array.from({ length: limits.stopStringsMax }, () => stop);
    expect(
      chat({ stop: stops, max_tokens: limits.outputTokensMax, messages: many(limits.promptMessagesMax) }),
    ).toBeDefined();
    expect(chatOf({ role: 'user', content: 'x'.repeat(limits.promptCharsMax) })).toBeDefined();
    const tooLong = expect.objectContaining({ code: 'prompt_too_long', class: 'too-large' }) as Error;
    expect(() => chatOf(...many(limits.promptMessagesMax + 1))).toThrow(tooLong);
    expect(() => chatOf(user, { role: 'user', content: 'x'.repeat(limits.promptCharsMax - 1) })).toThrow(tooLong);
    for (const change of [
      { stop: [...stops, 's'] },
      { stop: `${stop}s` },
      { stop: '' },
      { max_tokens: limits.outputTokensMax + 1 },
      { top_logprobs: limits.topLogprobsMax + 1 },
      { x_pouw: { max_price_wei: (2n ** 128n).toString() } },
      { x_pouw: { max_price_wei: 'abc' } },
      { x_pouw: { max_price_wei: '1.5' } },
      { x_pouw: { max_price_wei: '0' } },
      { temperature: 2.1 },
      { top_p: 1.1 },
    ]) {
      expect(() => chat(change)).toThrow(expect.objectContaining({ code: 'invalid_request' }) as Error);
    }
  });
});

describe('a completion request', () => {
  it('continues its prompt as it stands, given alone or as the only one', () => {
    expect(completion({ prompt: 'Once' }).task.prompt).toEqual({ text: 'Once' });
    expect(completion({ prompt: ['Once'] })).toEqual(completion({ prompt: 'Once' }));
  });

  it.each([
    ['several prompts', { prompt: ['a', 'b'] }, 'prompt'],
    ['token ids', { prompt: [1, 2] }, 'prompt'],
    ['lists of token ids', { prompt: [[1, 2]] }, 'prompt'],
    ['echo', { prompt: 'a', echo: true }, 'echo'],
    ['a suffix', { prompt: 'a', suffix: 'b' }, 'suffix'],
    ['best_of', { prompt: 'a', best_of: 2 }, 'best_of'],
  ])('with %s is refused by name', (_what, change, param) => {
    expect(() => completion(change)).toThrow(
      expect.objectContaining({ code: 'unsupported_parameter', param }) as Error,
    );
  });
});

describe('an embeddings request', () => {
  it('takes a string or strings, none of them empty', () => {
    expect(readEmbeddingsRequest({ model: 'm', input: 'a' })).toMatchObject({
      input: { texts: ['a'] },
      encoding: 'float',
    });
    expect(readEmbeddingsRequest({ model: 'm', input: ['a', 'b'], encoding_format: 'base64' })).toMatchObject({
      input: { texts: ['a', 'b'] },
      encoding: 'base64',
    });
    expect(readEmbeddingsRequest({ model: 'm', input: inputs(limits.embeddingInputsMax) })).toBeDefined();
    const message = expect.stringContaining(`<=${limits.embeddingInputsMax} items`) as string;
    expect(() => readEmbeddingsRequest({ model: 'm', input: inputs(limits.embeddingInputsMax + 1) })).toThrow(
      expect.objectContaining({ param: 'input', message }) as Error,
    );
    for (const input of ['', [], ['a', ''], inputs(limits.embeddingInputsMax + 1)]) {
      const refusal = expect.objectContaining({ code: 'invalid_request' }) as Error;
      expect(() => readEmbeddingsRequest({ model: 'm', input })).toThrow(refusal);
    }
  });
});

describe('an embeddings request with token ids', () => {
  const read = (input: unknown): ReturnType<typeof readEmbeddingsRequest> =>
    readEmbeddingsRequest({ model: 'm', input });
  const lists = (length: number): number[][] => Array.from({ length }, () => [1]);

  it('takes one list or lists, none of them empty', () => {
    expect(read([5, 0])).toMatchObject({ input: { ids: [[5, 0]] } });
    expect(read([[5], [0, 6]])).toMatchObject({ input: { ids: [[5], [0, 6]] } });
    expect(read(lists(limits.embeddingInputsMax))).toBeDefined();
    expect(read(Array.from({ length: limits.embeddingInputsMax + 1 }, () => 7))).toBeDefined();
  });

  it.each([
    ['a negative id', [-1], 'input'],
    ['a fraction', [1.5], 'input'],
    ['a number beyond what can be counted', [2 ** 53], 'input'],
    ['a text among ids', [1, 'a'], 'input'],
    ['an empty list', [[1], []], 'input[1]'],
    ['a text among lists', [[1], 'a'], 'input[1]'],
    ['an id among texts', ['a', 1], 'input[1]'],
    ['too many lists', lists(limits.embeddingInputsMax + 1), 'input'],
  ])('is refused for %s', (_what, input, param) => {
    const refusal = expect.objectContaining({ code: 'invalid_request', class: 'invalid', param }) as Error;
    expect(() => read(input)).toThrow(refusal);
  });

  it('holds the texts that they stand for to the bounds of texts', () => {
    expect(checkDecoded(['ab', 'é'], 4)).toEqual(['ab', 'é']);
    const tooLong = expect.objectContaining({ code: 'prompt_too_long', class: 'too-large' }) as Error;
    expect(() => checkDecoded(['ab', 'é'], 3)).toThrow(tooLong);
    expect(() => checkDecoded(['x'.repeat(limits.promptCharsMax + 1)], 1_048_576)).toThrow(tooLong);
    const empty = expect.objectContaining({ code: 'invalid_request', param: 'input[1]' }) as Error;
    expect(() => checkDecoded(['a', ''], 10)).toThrow(empty);
  });
});

describe('a native task request', () => {
  it("is for the session's model, with messages or with a prompt", () => {
    expect(readTaskRequest({ messages: [user] }, 'own').task).toMatchObject({ model: 'own' });
    expect(readTaskRequest({ prompt: 'x', model: 'm' }, 'own').task).toMatchObject({
      model: 'm',
      prompt: { text: 'x' },
    });
    expect(readTaskRequest({ prompt: 'x', request_id: 'r' }, 'own').requestId).toBe('r');
    const longest = 'r'.repeat(limits.idempotencyKeyCharsMax);
    expect(readTaskRequest({ prompt: 'x', request_id: longest }, 'own').requestId).toBe(longest);
    const wrongIds = ['', `${longest}r`, 1].map((id) => ({ prompt: 'x', request_id: id }));
    for (const body of [{}, { messages: [user], prompt: 'x' }, ...wrongIds]) {
      expect(() => readTaskRequest(body, 'own')).toThrow(expect.objectContaining({ code: 'invalid_request' }) as Error);
    }
  });
});

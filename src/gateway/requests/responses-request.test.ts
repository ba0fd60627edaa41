import { describe, expect, it } from 'vitest';
import { limits } from '../../core/limits.ts';
import { readChatRequest } from './chat-request.ts';
import { readResponsesRequest } from './responses-request.ts';
import { defaultMaxTokens } from './task-fields.ts';

const read = (change: object = {}): ReturnType<typeof readResponsesRequest> =>
  readResponsesRequest({ model: 'm', input: 'Hi', ...change });
const promptOf = (change: object): unknown => read(change).generation.task.prompt;
const refusal = (code: string, param: string): Error =>
  expect.objectContaining({ code, class: 'invalid', param }) as Error;

describe('a request for a response', () => {
  it('that says nothing else is what the same chat request is', () => {
    const chat = readChatRequest({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] });
    expect(read()).toEqual({
      generation: chat,
      echo: { instructions: null, metadata: {}, maxOutputTokens: defaultMaxTokens, temperature: 0, topP: 1 },
    });
  });

  it('carries every field that is honoured', () => {
    const fields = { max_output_tokens: 5, temperature: 0.7, top_p: 0.9, stream: true, metadata: { a: 'b' } };
    const pouw = { x_pouw: { delivery: 'verified', max_price_wei: '12' } };
    expect(read({ ...fields, ...pouw, top_k: 4, stop: 'END', seed: 1, store: true })).toEqual({
      generation: expect.objectContaining({
        task: expect.objectContaining({
          sampling: { temperature: 0.7, topP: 0.9, topK: 4 },
          maxTokens: 5,
          stop: ['END'],
          maxPriceWei: '12',
        }) as unknown,
        stream: true,
        delivery: 'verified',
      }) as unknown,
      echo: { instructions: null, metadata: { a: 'b' }, maxOutputTokens: 5, temperature: 0.7, topP: 0.9 },
    });
  });

  it('begins with its instructions and goes on with its messages, whatever form they have', () => {
    const output = { type: 'message', id: 'msg_1', role: 'assistant', status: 'completed' };
    const said = [
      { type: 'output_text', text: 'Hel', annotations: [], logprobs: [] },
      { type: 'refusal', refusal: 'lo' },
    ];
    const input = [
      { role: 'developer', content: 'Rhyme.' },
      { ...output, content: said },
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'a' }] },
      { type: null, role: 'user', content: 'b' },
    ];
    expect(promptOf({ instructions: 'Be kind.', input })).toEqual({
      messages: [
        { role: 'system', content: 'Be kind.' },
        { role: 'system', content: 'Rhyme.' },
        { role: 'assistant', content: 'Hello' },
        { role: 'user', content: 'a' },
        { role: 'user', content: 'b' },
      ],
    });
  });

  it('asks for log-probabilities by including them, or by their number', () => {
    const include = ['message.output_text.logprobs'];
    expect(read({ include }).generation).toMatchObject({ task: { topLogprobs: 1 }, topLogprobs: 0 });
    expect(read({ top_logprobs: 3 }).generation).toMatchObject({ task: { topLogprobs: 3 }, topLogprobs: 3 });
    expect(read({ include: ['reasoning.encrypted_content'] }).generation.topLogprobs).toBeUndefined();
  });

  it.each([
    ['tools', { tools: [{ type: 'web_search' }] }, 'tools'],
    ['a tool it must call', { tool_choice: 'required' }, 'tool_choice'],
    ['background', { background: true }, 'background'],
    ['an earlier response', { previous_response_id: 'resp_1' }, 'previous_response_id'],
    ['a conversation', { conversation: 'conv_1' }, 'conversation'],
    ['a prompt template', { prompt: { id: 'x' } }, 'prompt'],
    ['a format', { text: { format: { type: 'json_schema' } } }, 'text.format'],
    ['a bias', { logit_bias: { 1: 2 } }, 'logit_bias'],
    ['an image', { input: [{ role: 'user', content: [{ type: 'input_image' }] }] }, 'input[0].content[0]'],
    ['a reference', { input: [{ type: 'item_reference', id: 'x' }] }, 'input[0]'],
    ['a tool result', { input: [{ role: 'user', content: 'a' }, { type: 'function_call_output' }] }, 'input[1]'],
  ])('with %s is refused by name', (_what, change, param) => {
    expect(() => read(change)).toThrow(refusal('unsupported_parameter', param));
  });

  it('may set what cannot be honoured to what it is anyway', () => {
    const idle = { tools: [], tool_choice: 'auto', background: false, previous_response_id: null, text: null };
    expect(read({ ...idle, store: false, truncation: 'disabled' })).toEqual(read());
    expect(read({ text: { format: { type: 'text' }, verbosity: 'low' } })).toEqual(read());
  });

  it.each([
    [{ input: undefined }, 'input'],
    [{ input: '' }, 'input'],
    [{ input: [] }, 'input'],
    [{ input: [{ role: 'user' }] }, 'input[0].content'],
    [{ input: [{ role: 'user', content: [] }] }, 'input[0].content'],
    [{ input: [{ role: 'user', content: [{ type: 'text', text: 'a' }] }] }, 'input[0].content[0].type'],
    [{ input: [{ role: 'tool', content: 'a' }] }, 'input[0].role'],
    [{ max_output_tokens: limits.outputTokensMax + 1 }, 'max_output_tokens'],
    [{ metadata: { a: 1 } }, 'metadata.a'],
    [{ metadata: { a: 'x'.repeat(limits.metadataValueCharsMax + 1) } }, 'metadata.a'],
  ])('is not valid with %j', (change, param) => {
    expect(() => read(change)).toThrow(refusal('invalid_request', param));
  });

  it('has metadata up to the bounds', () => {
    const pairs = (count: number): object =>
      Object.fromEntries(
        Array.from({ length: count }, (_, index) => [`${index}`, 'x'.repeat(limits.metadataValueCharsMax)]),
      );
    expect(read({ metadata: pairs(limits.metadataPairsMax) })).toBeDefined();
    expect(() => read({ metadata: pairs(limits.metadataPairsMax + 1) })).toThrow(
      refusal('invalid_request', 'metadata'),
    );
    expect(read({ metadata: { ['k'.repeat(limits.metadataKeyCharsMax)]: '' } })).toBeDefined();
    expect(() => read({ metadata: { ['k'.repeat(limits.metadataKeyCharsMax + 1)]: '' } })).toThrow('metadata');
  });

  it('is bounded as a chat is, its instructions included', () => {
    const tooLong = expect.objectContaining({ code: 'prompt_too_long', class: 'too-large' }) as Error;
    expect(read({ input: 'x'.repeat(limits.promptCharsMax) })).toBeDefined();
    expect(() => read({ instructions: 'x', input: 'x'.repeat(limits.promptCharsMax) })).toThrow(tooLong);
    const input = Array.from({ length: limits.promptMessagesMax }, () => ({ role: 'user', content: 'a' }));
    expect(read({ input })).toBeDefined();
    expect(() => read({ instructions: 'x', input })).toThrow(tooLong);
  });
});

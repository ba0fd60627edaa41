import { describe, expect, it } from 'vitest';
import { PouwError } from '../../core/errors.ts';
import { keccak256 } from '../../core/hash.ts';
import type { TaskId } from '../../core/ids.ts';
import type { TaskView } from '../../ports/task-views.ts';
import { errorBody } from '../error-status.ts';
import type { Answer } from './answer-format.ts';
import { ResponseFormat } from './response-format.ts';

const task = keccak256('task') as TaskId;
const head = { task, created: 1_700_000_000, model: 'm', includeUsage: false, topLogprobs: undefined };
const echo = { instructions: 'Be kind.', metadata: { a: 'b' }, maxOutputTokens: 9, temperature: 0, topP: 1 };
const view = {
  task,
  text: 'Hé!',
  promptTokens: 3,
  outputTokens: 2,
  settlement: null,
  anchor: null,
  failure: null,
  miners: [],
  joins: [],
  payments: [],
} as unknown as TaskView;
const answer: Answer = { text: 'Hé!', scores: [], finishReason: 'stop', view };
const scores = [
  {
    chosen: { id: 1, text: 'Hé', logprob: -0.25 },
    top: [
      { id: 1, text: 'Hé', logprob: -0.25 },
      { id: 2, text: 'no', logprob: -2 },
    ],
  },
];
const id = task.slice(2);

/** The events of a piece of a stream: each must say its type twice. */
function events(text: string): Record<string, unknown>[] {
  return text
    .split('\n\n')
    .filter((block) => block !== '')
    .map((block) => {
      const [, name, data] = /^event: (.+)\ndata: (.+)$/.exec(block) ?? [];
      const event = JSON.parse(data ?? '') as Record<string, unknown>;
      expect(event['type']).toBe(name);
      return event;
    });
}

describe('a streamed response', () => {
  it('tells its text in typed events, counted from 0', () => {
    const format = new ResponseFormat(head, echo);
    const opened = events(format.opening());
    const place = { item_id: `msg_${id}`, output_index: 0, content_index: 0 };
    const part = { type: 'output_text', text: 'Hé!', annotations: [], logprobs: [] };
    expect(opened[0]).toMatchObject({ response: { id: `resp_${id}`, status: 'in_progress', output: [], usage: null } });
    expect(opened[2]).toMatchObject({ item: { id: `msg_${id}`, status: 'in_progress', content: [] } });
    expect(opened[3]).toMatchObject({ ...place, part: { ...part, text: '' } });
    const said = events(format.piece('Hé!', []));
    expect(said).toEqual([
      { type: 'response.output_text.delta', sequence_number: 4, ...place, delta: 'Hé!', logprobs: [] },
    ]);
    const closed = events(format.closing(answer));
    expect(closed[0]).toMatchObject({ type: 'response.output_text.done', ...place, text: 'Hé!' });
    expect(closed[1]).toMatchObject({ type: 'response.content_part.done', ...place, part });
    const item = { id: `msg_${id}`, type: 'message', role: 'assistant', status: 'completed', content: [part] };
    expect(closed[2]).toMatchObject({ type: 'response.output_item.done', output_index: 0, item });
    expect(closed[3]).toMatchObject({
      type: 'response.completed',
      response: JSON.parse(JSON.stringify(format.whole(answer))) as object,
    });
    const numbers = [...opened, ...said, ...closed].map((event) => event['sequence_number']);
    expect(numbers).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(format.last).toBe('');
  });

  it('that fails ends with the reason and what was said', () => {
    const error = new PouwError('task_expired', 'Nobody came.', { class: 'unavailable' });
    const format = new ResponseFormat(head, echo);
    const failed = { type: 'response.failed', response: { status: 'failed', error: { code: 'task_expired' } } };
    expect(events(format.failed(errorBody(error)))).toMatchObject([{ ...failed, response: { output: [] } }]);
    format.piece('Hé', []);
    const [event] = events(format.failed(errorBody(error)));
    expect(event).toMatchObject({
      ...failed,
      response: { ...failed.response, usage: null, output: [{ status: 'incomplete', content: [{ text: 'Hé' }] }] },
    });
  });
});

describe('a response', () => {
  it('echoes its request, counts tokens and carries the proof', () => {
    expect(new ResponseFormat(head, echo).whole(answer)).toMatchObject({
      object: 'response',
      created_at: head.created,
      model: 'm',
      status: 'completed',
      error: null,
      incomplete_details: null,
      instructions: 'Be kind.',
      metadata: { a: 'b' },
      max_output_tokens: 9,
      temperature: 0,
      top_p: 1,
      usage: {
        input_tokens: 3,
        input_tokens_details: { cached_tokens: 0 },
        output_tokens: 2,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: 5,
      },
      x_pouw: { task, shown_text_won: true },
    });
  });

  it('is incomplete at its bound on tokens, its message too', () => {
    const format = new ResponseFormat(head, echo);
    const cut = { ...answer, finishReason: 'length' } as const;
    const incomplete = { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } };
    expect(format.whole(cut)).toMatchObject({ ...incomplete, output: [{ status: 'incomplete' }] });
    expect(events(format.closing(cut)).at(-1)).toMatchObject({ type: 'response.incomplete', response: incomplete });
  });

  it('has log-probabilities where they were asked for, in its parts and in its deltas', () => {
    const format = new ResponseFormat({ ...head, topLogprobs: 1 }, echo);
    const first = { token: 'Hé', logprob: -0.25, bytes: [72, 195, 169] };
    const logprobs = [{ ...first, top_logprobs: [first] }];
    expect(format.whole({ ...answer, scores })).toMatchObject({ output: [{ content: [{ logprobs }] }] });
    expect(events(format.piece('Hé', scores))).toMatchObject([{ logprobs }]);
    const quiet = new ResponseFormat(head, echo).whole({ ...answer, scores });
    expect(quiet).toMatchObject({ output: [{ content: [{ logprobs: [] }] }] });
  });
});

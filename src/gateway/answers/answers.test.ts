import { describe, expect, it } from 'vitest';
import { keccak256 } from '../../core/hash.ts';
import { type Cid, type SessionId, type TaskId, toAddress } from '../../core/ids.ts';
import { wei, zeroWei } from '../../core/wei.ts';
import type { TaskUpdate } from '../../ports/gateway-network.ts';
import type { TaskView } from '../../ports/task-views.ts';
import { ChatFormat } from './chat-format.ts';
import { CompletionFormat } from './completion-format.ts';
import { gatherAnswer } from './gather.ts';
import { updateBody } from './update-body.ts';

const task = keccak256('task') as TaskId;
const miner = toAddress(`0x${'11'.repeat(20)}`);
const view: TaskView = {
  task,
  session: '1-00000000-1' as SessionId,
  state: 'settled',
  model: 'm',
  maxTokens: 9,
  redundancy: 3,
  level: 1,
  prompt: 'bprompt' as Cid,
  miners: [{ miner, attempt: 0, phase: 'committed', verdict: 'honest', similarity: 0.98, tokens: 2 }],
  validators: [],
  primary: miner,
  winner: miner,
  streamed: 'match',
  joins: [],
  text: 'Hé "x"\n',
  finishReason: 'stop',
  promptTokens: 3,
  outputTokens: 2,
  escrowWei: zeroWei,
  priceWei: wei(20),
  returnedWei: wei(70),
  payments: [],
  result: 'bresult' as Cid,
  report: 'breport' as Cid,
  manifest: 'bmanifest' as Cid,
  settlement: { block: 7, txHash: '0x07' },
  anchor: { epoch: 2, root: '0x02' },
  failure: null,
  unreadable: null,
};

const scored = (index: number, text: string, logprob: number): TaskUpdate => ({
  type: 'token',
  index,
  id: index,
  text,
  logprob: { id: index, text, logprob },
  top: [
    { id: index, text, logprob },
    { id: 9, text: 'other', logprob: -3 },
  ],
});
const done = (text: string): TaskUpdate => ({
  type: 'done',
  text,
  finishReason: 'stop',
  promptTokens: 3,
  outputTokens: 2,
});
const verdict: TaskUpdate = { type: 'verdict', view };

async function* updates(...list: readonly TaskUpdate[]): AsyncGenerator<TaskUpdate> {
  yield* list;
}

/** The JSON values of server-sent events. */
const parsed = (events: string): unknown[] =>
  events
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => JSON.parse(event.slice('data: '.length)) as unknown);

const head = { task, created: 1_700_000_000, model: 'm', includeUsage: false, topLogprobs: undefined };

const format = new ChatFormat(head);
const same = { id: `chatcmpl-${task.slice(2)}`, object: 'chat.completion.chunk', created: head.created, model: 'm' };
/** The closing chunk of a stream that has shown `text`. */
const proofOf = (text: string): unknown => parsed(format.closing({ text, scores: [], finishReason: 'stop', view }))[0];
/** A chunk with one choice, as every chunk of the stream must look. */
const chunk = (delta: object, reason: string | null): object => ({
  ...same,
  choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }],
});

describe('a streamed chat answer', () => {
  it('begins with the role, goes on with text and ends with an empty delta, all in one frame', () => {
    expect(parsed(format.opening())).toEqual([chunk({ role: 'assistant', content: '' }, null)]);
    expect(parsed(format.piece('Hé "x"\n', []))).toEqual([chunk({ content: 'Hé "x"\n' }, null)]);
    const closing = parsed(format.closing({ text: 'Hé "x"\n', scores: [], finishReason: 'stop', view }));
    expect(closing).toEqual([
      { ...chunk({}, 'stop'), x_pouw: expect.objectContaining({ cid: 'bmanifest' }) as unknown },
    ]);
  });

  it('writes text as one line, whatever is in it', () => {
    const event = format.piece('a\r\nb\u2028c\n\ndata: [DONE]\n\n', []);
    expect(event.match(/\n/g)).toHaveLength(2);
    expect(event.endsWith('\n\n')).toBe(true);
  });

  it('has the usage, and then the proof, in a chunk of its own where it is asked for', () => {
    const closing = new ChatFormat({ ...head, includeUsage: true }).closing({
      text: '',
      scores: [],
      finishReason: 'length',
      view,
    });
    const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
    expect(parsed(closing)).toEqual([
      expect.not.objectContaining({ x_pouw: expect.anything() as unknown }),
      { ...same, choices: [], usage, x_pouw: expect.objectContaining({ task, price_wei: '20' }) as unknown },
    ]);
  });

  it('says whether the text shown is the text that won', () => {
    expect(proofOf('Hé "x"\n')).toMatchObject({ x_pouw: { shown_text_won: true } });
    expect(proofOf('something else')).toMatchObject({ x_pouw: { shown_text_won: false } });
    const answer = { text: 'Hé', scores: [], finishReason: 'stop', view: { ...view, text: null } } as const;
    expect(parsed(format.closing(answer))[0]).toMatchObject({ x_pouw: { shown_text_won: null } });
  });
});

describe('gathering an answer', () => {
  it('shows pieces as they come, and scores with the text they become', async () => {
    const shown: unknown[] = [];
    const list = [scored(0, '', -0.5), scored(1, 'Hé', -0.25), scored(2, '', -1), done(' "x"\n'), verdict];
    const answer = await gatherAnswer(updates(...list), (text, scores) => {
      shown.push([text, scores.map(({ chosen }) => chosen.id)]);
    });
    expect(shown).toEqual([
      ['Hé', [0, 1]],
      [' "x"\n', [2]],
    ]);
    expect(answer).toMatchObject({ text: 'Hé "x"\n', finishReason: 'stop', view });
    expect(answer.scores).toHaveLength(3);
  });

  it('waits for a reader that is behind', async () => {
    const order: string[] = [];
    async function* source(): AsyncGenerator<TaskUpdate> {
      for (const text of ['a', 'b']) {
        order.push(`made ${text}`);
        yield { type: 'token', index: 0, id: 0, text };
      }
      yield done('');
      yield verdict;
    }
    await gatherAnswer(source(), async (text) => {
      await Promise.resolve();
      order.push(`read ${text}`);
    });
    expect(order).toEqual(['made a', 'read a', 'made b', 'read b']);
  });

  it('fails as the task does, and where the updates just end', async () => {
    const failure = { code: 'exhausted', message: 'Nobody answered.', class: 'unavailable' } as const;
    await expect(gatherAnswer(updates({ type: 'failed', failure, view }))).rejects.toMatchObject(failure);
    await expect(gatherAnswer(updates(done('')))).rejects.toMatchObject({ code: 'answer_cut_off' });
  });

  it('fails where the answer that won cannot be read, and says why', async () => {
    const unreadable = { code: 'content_corrupt', reason: 'The block is damaged.' };
    const lost: TaskUpdate = { type: 'verdict', view: { ...view, text: null, finishReason: null, unreadable } };
    const token: TaskUpdate = { type: 'token', index: 0, id: 0, text: 'Hé' };
    for (const words of [[], [token]])
      await expect(gatherAnswer(updates(...words, lost))).rejects.toMatchObject({
        code: 'result_unreadable',
        why: unreadable.reason,
        class: 'unavailable',
      });
  });
});

const scores = [
  {
    chosen: { id: 1, text: 'Hé', logprob: -0.25 },
    top: [
      { id: 1, text: 'Hé', logprob: -0.25 },
      { id: 2, text: 'no', logprob: -2 },
    ],
  },
  {
    chosen: { id: 3, text: '!', logprob: -0.5 },
    top: [
      { id: 3, text: '!', logprob: -0.5 },
      { id: 4, text: '?', logprob: -2 },
    ],
  },
];
const answer = { text: 'Hé!', scores, finishReason: 'stop', view } as const;
const wholeWith = (topLogprobs: number): unknown => new ChatFormat({ ...head, topLogprobs }).whole(answer);

describe('log-probabilities', () => {
  it('of a chat have bytes and as many alternatives as were asked for', () => {
    const first = { token: 'Hé', logprob: -0.25, bytes: [72, 195, 169] };
    expect(wholeWith(1)).toMatchObject({
      choices: [{ logprobs: { content: [{ ...first, top_logprobs: [first] }, {}] } }],
    });
    expect(wholeWith(0)).toMatchObject({ choices: [{ logprobs: { content: [{ ...first, top_logprobs: [] }, {}] } }] });
  });

  it('of a completion are lists, with offsets that go on from piece to piece', () => {
    const pieces = new CompletionFormat({ ...head, topLogprobs: 1 });
    const [one, other] = [pieces.piece('Hé', scores.slice(0, 1)), pieces.piece('!', scores.slice(1))].flatMap(parsed);
    expect(one).toMatchObject({ object: 'text_completion', choices: [{ text: 'Hé', logprobs: { text_offset: [0] } }] });
    expect(other).toMatchObject({
      choices: [
        { logprobs: { tokens: ['!'], token_logprobs: [-0.5], top_logprobs: [{ '!': -0.5 }], text_offset: [2] } },
      ],
    });
  });
});

describe('an update for watchers', () => {
  it('has a type and what belongs to it', () => {
    expect(updateBody({ type: 'state', state: 'queued' })).toEqual({ type: 'state', state: 'queued' });
    expect(updateBody(scored(4, 'a', -1))).toMatchObject({ type: 'token', index: 4, text: 'a', logprob: -1 });
    expect(updateBody(done('x'))).toEqual({
      type: 'done',
      text: 'x',
      finish_reason: 'stop',
      prompt_tokens: 3,
      output_tokens: 2,
    });
    expect(updateBody(verdict)).toMatchObject({
      type: 'verdict',
      task: { id: task, anchor: { epoch: 2 }, cid: 'bmanifest' },
    });
    const failure = { code: 'task_cancelled', message: 'Cancelled.', class: 'invalid' } as const;
    expect(updateBody({ type: 'failed', failure, view })).toMatchObject({
      error: { code: 'task_cancelled' },
      task: { id: task },
    });
  });
});

import { expect, test } from 'vitest';
import { emptySession } from '../../../actors/session/context.ts';
import { taskAfter } from '../../../actors/session/tasks.ts';
import type { SelectMiners } from '../../../actors/task/effects.ts';
import { bytes32, session } from '../../../test/actors/chain-facts.ts';
import { good, submitted } from '../../../test/actors/samples/task.ts';
import { cidToDigest, contentCid } from '../../core/cid.ts';
import { type EffectId, streamId, taskId } from '../../core/ids.ts';
import type { Json } from '../../core/json.ts';
import { type SelectionDesk, selectMiners } from './select.ts';
import type { SessionRuntime } from './session-effects.ts';

const parent = taskId(session, bytes32(7));
const { task } = submitted;
const sampling = { temperature: 0, topP: 1, topK: 0 };
const template = {
  kind: 'step',
  v: 1,
  model: 'pebble-chat',
  prompt: { text: 'Define: {{a}}' },
  sampling,
  stop: [],
  topLogprobs: 0,
  maxTokens: 16,
  after: [{ name: 'a', task: parent }],
} as unknown as Json;
const result = {
  kind: 'result',
  v: 1,
  task: parent,
  attempt: 0,
  miner: `0x${'ab'.repeat(20)}`,
  model: 'pebble-chat',
  text: 'long',
  tokens: [],
  finishReason: 'stop',
  promptTokens: 1,
  outputTokens: 1,
  prefixTokens: 0,
} as unknown as Json;

/** Chooses miners for a step whose prompt has so many tokens, of a model that holds ten. */
async function select(tokens: number) {
  const prompt = contentCid(template);
  const asked = { ...submitted, prompt, step: 1, after: [{ name: 'a', task: parent }] };
  const ready = { block: 3, expiresAt: 9 };
  const settled = { type: 'ParentSettled', task, parent, result: contentCid(result), ready } as const;
  const folded = taskAfter(taskAfter(taskAfter(undefined, asked), good.queued), settled);
  const blocks = new Map([template, result].map((block) => [contentCid(block), block]));
  const told: unknown[] = [];
  const counted: unknown[] = [];
  const source = {
    promptDigest: cidToDigest(prompt),
    step: 1,
    parents: [{ task: parent, resultDigest: cidToDigest(contentCid(result)) }],
  };
  const stopped = new Error('as far as the draw');
  const runtime = {
    base: {
      ports: {
        chain: { stepSource: async () => source, waitForBlock: () => Promise.reject(stopped) },
        content: { get: async (cid: never) => blocks.get(cid) },
      },
    },
    session: async () => ({ value: 'open', context: { ...emptySession, tasks: { [task]: folded } } }),
    dispatch: async (_: string, command: unknown) => void told.push(command),
  } as unknown as SessionRuntime;
  const inference = {
    models: () => [{ id: 'pebble-chat', contextTokens: 10 }],
    countTokens: async (_: string, words: unknown) => {
      counted.push(words);
      return tokens;
    },
  };
  const desk = { inference, offers: undefined } as unknown as SelectionDesk;
  const effect: SelectMiners = {
    kind: 'selectMiners',
    task,
    afterBlock: 3,
    redundancy: 2,
    validators: 1,
    model: 'pebble-chat',
  };
  const signal = new AbortController().signal;
  const context = { id: 'x:1:0' as EffectId, stream: streamId('session', session), signal };
  const drawn = await selectMiners(runtime, desk, effect, context).then(
    () => false,
    (error: unknown) => error === stopped,
  );
  return { drawn, told, counted };
}

test('a step is drawn for where its whole prompt leaves the model room, and else asked to end', async () => {
  expect(await select(9)).toEqual({ drawn: true, told: [], counted: [{ text: 'Define: long' }] });
  const { drawn, told } = await select(10);
  expect([drawn, told]).toEqual([false, [{ type: 'CancelTask', task, reason: 'step_prompt_too_long' }]]);
});

import { expect, test } from 'vitest';
import { cidToDigest, contentCid } from '../../core/cid.ts';
import { PouwError } from '../../core/errors.ts';
import type { TaskId } from '../../core/ids.ts';
import type { Json } from '../../core/json.ts';
import type { StepSource } from '../../ports/chain-steps.ts';
import { alice, bob, session } from '../../../test/actors/chain-facts.ts';
import { doJob, type GenerationPorts, type Job } from './do-job.ts';

const asked = { kind: 'embed', v: 1, model: 'm', texts: ['x'] } satisfies Json;
const other = contentCid({ ...asked, texts: ['y'] });
const prompt = contentCid(asked);
const task = `0x${'1'.repeat(64)}` as TaskId;
const job: Job = {
  kind: 'infer',
  session,
  task,
  step: 1,
  attempt: 0,
  model: 'm',
  prompt,
  maxTokens: 1,
  prefix: [],
  router: bob,
  replyTo: 'tok',
  isBatched: false,
};

/** A miner's ports; the chain has the task as it is given, says so when it is told, and the model takes its time. */
function ports(source: StepSource | undefined) {
  const said = Promise.withResolvers<StepSource | undefined>();
  const model = Promise.withResolvers<void>();
  const seen = { embedded: 0, stored: 0, signal: undefined as AbortSignal | undefined };
  const put = async (): Promise<typeof prompt> => {
    seen.stored += 1;
    return prompt;
  };
  const content = { get: async () => asked, put, flush: async () => undefined };
  const embed = async (_: string, __: readonly string[], signal: AbortSignal) => {
    seen.embedded += 1;
    seen.signal = signal;
    await Promise.race([model.promise, new Promise((resolve) => signal.addEventListener('abort', resolve))]);
    signal.throwIfAborted();
    return { vectors: [new Float32Array([1])], tokens: 1 };
  };
  const chain = { stepSource: () => said.promise };
  return {
    ports: { content, chain, inference: { embed } } as unknown as GenerationPorts,
    seen,
    say: () => said.resolve(source),
    break: (error: Error) => said.reject(error),
    make: () => model.resolve(),
  };
}

const turn = (): Promise<void> => new Promise(setImmediate);
const run = (given: ReturnType<typeof ports>, change: Partial<Job> = {}) =>
  doJob(given.ports, alice, { ...job, ...change }, () => undefined, new AbortController().signal);

test('a miner does what the chain has for the task, at the step that the chain has it', async () => {
  const given = ports({ promptDigest: cidToDigest(prompt), step: 1, parents: [] });
  given.say();
  given.make();
  await expect(run(given)).resolves.toMatchObject({ finishReason: 'stop' });
  expect(given.seen).toMatchObject({ embedded: 1, stored: 1 });
});

test('its work is not kept before the chain has said so', async () => {
  const given = ports({ promptDigest: cidToDigest(prompt), step: 1, parents: [] });
  const running = run(given);
  given.make();
  await turn();
  expect(given.seen).toMatchObject({ embedded: 1, stored: 0 });
  given.say();
  await expect(running).resolves.toMatchObject({ finishReason: 'stop' });
});

test.each<[string, StepSource | undefined]>([
  ['another prompt', { promptDigest: cidToDigest(other), step: 1, parents: [] }],
  ['another step', { promptDigest: cidToDigest(prompt), step: 0, parents: [] }],
  ['no such task', undefined],
])('a miner ends its work, and keeps nothing of it, where the chain has %s', async (_, source) => {
  const given = ports(source);
  const running = run(given);
  await turn();
  given.say();
  await expect(running).rejects.toMatchObject({ code: 'prompt_not_of_task' });
  expect(given.seen).toMatchObject({ embedded: 1, stored: 0, signal: { aborted: true } });
});

test('a miner that cannot ask the chain ends its work with the reason', async () => {
  const given = ports(undefined);
  const running = run(given);
  given.break(new PouwError('chain_unreachable', 'Nobody answers.'));
  await expect(running).rejects.toMatchObject({ code: 'chain_unreachable' });
  expect(given.seen.stored).toBe(0);
});

test('a task of a batch is not on chain, and done by its router’s word', async () => {
  const given = ports(undefined);
  given.make();
  await expect(run(given, { isBatched: true })).resolves.toMatchObject({ finishReason: 'stop' });
});

import { expect, test } from 'vitest';
import { cidToDigest, contentCid } from '../../core/cid.ts';
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

/** A miner's ports; the chain has the task as it is given. */
function ports(source: StepSource | undefined) {
  let embedded = 0;
  const content = { get: async () => asked, put: async () => prompt, flush: async () => undefined };
  const embed = async () => {
    embedded += 1;
    return { vectors: [new Float32Array([1])], tokens: 1 };
  };
  const chain = { stepSource: async () => source };
  return { ports: { content, chain, inference: { embed } } as unknown as GenerationPorts, embedded: () => embedded };
}

const run = (given: ReturnType<typeof ports>, change: Partial<Job> = {}) =>
  doJob(given.ports, alice, { ...job, ...change }, () => undefined, new AbortController().signal);

test('a miner does what the chain has for the task, at the step that the chain has it', async () => {
  const given = ports({ promptDigest: cidToDigest(prompt), step: 1, parents: [] });
  await expect(run(given)).resolves.toMatchObject({ finishReason: 'stop' });
  expect(given.embedded()).toBe(1);
});

test.each<[string, StepSource | undefined]>([
  ['another prompt', { promptDigest: cidToDigest(other), step: 1, parents: [] }],
  ['another step', { promptDigest: cidToDigest(prompt), step: 0, parents: [] }],
  ['no such task', undefined],
])('a miner does nothing where the chain has %s', async (_, source) => {
  const given = ports(source);
  await expect(run(given)).rejects.toMatchObject({ code: 'prompt_not_of_task' });
  expect(given.embedded()).toBe(0);
});

test('a task of a batch is not on chain, and done by its router’s word', async () => {
  await expect(run(ports(undefined), { isBatched: true })).resolves.toMatchObject({ finishReason: 'stop' });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import {
  createTransformersInference,
  type TransformersInference,
  type TransformersInferenceOptions,
} from '../../src/adapters/transformers/transformers-inference.ts';
import { limits } from '../../src/core/limits.ts';
import type { GenerateEvent } from '../../src/ports/inference.ts';
import { answer, dogRequest as request, failsWith, seeded, seededStory as story } from './inference-requests.ts';

/** Every thread this process has started and that has not ended. */
const threads = new Set<Worker>();
process.on('worker', (worker) => {
  threads.add(worker);
  worker.once('exit', () => threads.delete(worker));
});

/** Kills a thread the way a defect in it would: a message it cannot read is an uncaught exception. */
function crash(thread: Worker): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  thread.postMessage(null);
}

describe('transformers: places and threads', () => {
  let opened: TransformersInference[] = [];
  afterEach(async () => {
    await Promise.all(opened.map((inference) => inference.close()));
    opened = [];
  });
  async function open(options: TransformersInferenceOptions): Promise<TransformersInference> {
    const inference = await createTransformersInference({ device: 'cpu', ...options });
    opened.push(inference);
    await inference.load('pebble-chat');
    return inference;
  }

  it('gives the first token of each of three generations before any of them is done, even on one thread', async () => {
    const inference = await open({ workers: 1 });
    const order: string[] = [];
    const run = async (index: number): Promise<void> => {
      for await (const event of inference.generate(seeded(index)))
        order.push(event.type === 'token' ? `${event.index}` : event.type);
    };
    await Promise.all([1, 2, 3].map(run));
    expect(order.slice(0, order.indexOf('done')).filter((event) => event === '0')).toHaveLength(3);
    expect(order.indexOf('done')).toBeGreaterThan(3 * 20);
  });

  it('delivers the first token while the others are still being made', async () => {
    const inference = await open({ workers: 1 });
    const stream = inference.generate(story)[Symbol.asyncIterator]();
    const first = await stream.next();
    expect(first.value).toMatchObject({ type: 'token', index: 0 });
    // A later question overtakes the story: had the story been finished before its first token, it could not.
    let told = false;
    const rest = (async (): Promise<void> => {
      while (!(await stream.next()).done);
      told = true;
    })();
    await answer(inference, { ...request, maxTokens: 3 });
    expect(told).toBe(false);
    await rest;
  });

  it('queues what finds no place, first come first served, and refuses what finds no queue', async () => {
    const inference = await open({ workers: 1, generationsPerWorker: 1, queueMax: 2 });
    const finished: number[] = [];
    const run = (seed: number): Promise<unknown> => answer(inference, seeded(seed)).then(() => finished.push(seed));
    const accepted = [1, 2, 3].map(run);
    await expect(run(4)).rejects.toEqual(failsWith('inference_busy', { class: 'busy' }));
    await Promise.all(accepted);
    expect(finished).toEqual([1, 2, 3]);
  });

  it('lets the queued leave', async () => {
    const inference = await open({ workers: 1, generationsPerWorker: 1, queueMax: 1 });
    const running = answer(inference, story);
    const abort = new AbortController();
    const queued = answer(inference, { ...story, signal: abort.signal });
    abort.abort();
    expect((await queued).done.finishReason).toBe('cancelled');
    const next = answer(inference, { ...request, maxTokens: 1 });
    expect((await next).done.finishReason).toBe('length');
    await running;
  });

  it('cancels while the consumer waits for a token', async () => {
    const inference = await open({ workers: 1, generationsPerWorker: 1, queueMax: 0 });
    const stream = inference.generate(story)[Symbol.asyncIterator]();
    await stream.next();
    const waiting = stream.next();
    await stream.return?.();
    const last = (await waiting).value as GenerateEvent | undefined;
    expect([undefined, 'token']).toContain(last?.type);
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it('fails what a dying thread was doing, replaces the thread, and keeps its models', async () => {
    const before = new Set(threads);
    const inference = await open({ workers: 2 });
    const ours = [...threads].filter((thread) => !before.has(thread));
    expect(ours).toHaveLength(2);
    const outcomes = await Promise.allSettled(
      [1, 2, 3, 4].map(async (seed) => {
        const events: GenerateEvent[] = [];
        for await (const event of inference.generate(seeded(seed))) {
          events.push(event);
          if (seed === 1 && event.type === 'token' && event.index === 2) crash(ours[0]!);
        }
        return events.at(-1);
      }),
    );
    const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(failed).toHaveLength(2);
    for (const { reason } of failed) expect(reason).toEqual(failsWith('inference_failed', { class: 'unavailable' }));
    const after = await Promise.all([1, 2, 3, 4].map((seed) => answer(inference, seeded(seed))));
    expect(after.map(({ done }) => done.outputTokens).every((count) => count > 0)).toBe(true);
    expect([...threads].filter((thread) => !before.has(thread))).toHaveLength(2);
  });

  it('gives up a thread that only ever dies', async () => {
    const before = new Set(threads);
    const inference = await open({ workers: 1 });
    const dies = async (): Promise<void> => {
      const thread = [...threads].find((each) => !before.has(each))!;
      const exited = new Promise((resolve) => {
        thread.once('exit', resolve);
      });
      crash(thread);
      await exited;
    };
    for (let deaths = 0; deaths < limits.inferenceRestartsMax; deaths++) await dies();
    // It is in the queue until the last replacement is ready, or in that replacement when it dies.
    const running = answer(inference, story).catch((error: unknown) => error);
    await dies();
    expect(await running).toEqual(failsWith('inference_failed', { class: 'unavailable' }));
    await expect(answer(inference, story)).rejects.toEqual(failsWith('inference_failed'));
    expect([...threads].filter((each) => !before.has(each))).toEqual([]);
  });

  it('has no more threads and places than allowed', async () => {
    await expect(createTransformersInference({ workers: limits.inferenceWorkersMax + 1 })).rejects.toThrow('workers');
    const places = { generationsPerWorker: limits.generationsPerWorkerMax + 1 };
    await expect(createTransformersInference(places)).rejects.toThrow('generationsPerWorker');
  });

  it('ends every thread when it is closed, also in the middle of work', async () => {
    const before = new Set(threads);
    const inference = await open({ workers: 2 });
    const running = answer(inference, story);
    const outcome = running.catch((error: unknown) => error);
    await inference.close();
    expect(await outcome).toEqual(failsWith('inference_failed'));
    expect([...threads].filter((thread) => !before.has(thread))).toEqual([]);
  });

  it('survives a process that exits while a model runs', async () => {
    const adapter = fileURLToPath(
      new URL('../../src/adapters/transformers/transformers-inference.ts', import.meta.url),
    );
    const script = `
      const { createTransformersInference } = await import(${JSON.stringify(adapter)});
      const inference = await createTransformersInference({ device: 'cpu', workers: 2 });
      await inference.load('pebble-chat');
      const request = ${JSON.stringify({ ...story, maxTokens: 400 })};
      const streams = [1, 2, 3, 4].map(() => inference.generate(request)[Symbol.asyncIterator]());
      await Promise.all(streams.map((stream) => stream.next()));
      process.exit(7);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let complaints = '';
    child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    expect({ code, complaints }).toEqual({ code: 7, complaints: '' });
  });

  it('runs where a device is there, says so, and refuses one that is not', async () => {
    const inference = await open({ device: 'auto', workers: 1 });
    const device = inference.models()[0]!.device;
    expect(inference.deviceLine).toMatch(new RegExp(`^Inference runs on ${device}`));
    if (device === 'cuda') return;
    const refused = createTransformersInference({ device: 'cuda' });
    await expect(refused).rejects.toEqual(failsWith('device_unavailable', { class: 'unavailable', param: 'device' }));
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import { createHeliaContentStore } from '../../src/adapters/ipfs/content-store.ts';
import { createLocalBus } from '../../src/adapters/local/local-bus.ts';
import type { LocalStores } from '../../src/adapters/local/local-stores.ts';
import { createPromMetrics, type PromMetrics } from '../../src/adapters/metrics/prom-metrics.ts';
import { createRecordedInference } from '../../src/adapters/recorded/recorded-inference.ts';
import { contentCid } from '../../src/core/cid.ts';
import { toAddress } from '../../src/core/ids.ts';
import { encodeReply } from '../../src/messages/envelope.ts';
import { commandSubject, heartbeatSubject } from '../../src/messages/subjects.ts';
import { meterBus } from '../../src/operations/metered-bus.ts';
import { meterContent } from '../../src/operations/metered-content.ts';
import { meterInference } from '../../src/operations/metered-inference.ts';
import { meterLeases } from '../../src/operations/metered-leases.ts';
import { meterStore } from '../../src/operations/metered-store.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { VirtualClock } from '../../src/sim/virtual-clock.ts';
import { readMetrics, sumOf } from '../kit/prometheus.ts';
import { bytes } from './bus.harness.ts';
import { commitChain, resealed, testStream } from './commits.ts';
import { collect } from './event-store.harness.ts';
import { gate } from './feature.ts';
import { question, seedOf } from './inference-requests.ts';
import { localStoresHarness } from './local-stores-harness.ts';
import { pouwError } from './pouw-error.ts';

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

/** Metrics, and how to read one of them. */
function meter(): { metrics: PromMetrics; read: (name: string, labels?: Record<string, string>) => Promise<number> } {
  const metrics = createPromMetrics();
  return { metrics, read: async (name, labels) => sumOf(readMetrics(await metrics.text()), name, labels) };
}

/** The embedded stores, until the test ends. */
function localStores(options: { clock?: Clock } = {}): LocalStores {
  const harness = localStoresHarness(options);
  ends.push(() => harness.close());
  return harness.stores;
}

describe('a metered log', () => {
  it('counts appends by what became of them, and the events that were stored', async () => {
    const { metrics, read } = meter();
    const stores = localStores();
    const store = meterStore(stores.events, metrics);
    const [first, second] = commitChain(testStream(1), 2);
    await store.append(first!);
    await store.append(first!);
    await store.append(second!);
    await store.append(resealed(second!, { cause: 'a rival' }));
    const tooLarge = resealed(second!, { version: 3, cause: 'x'.repeat(2_000_000) });
    await expect(store.append(tooLarge)).rejects.toEqual(pouwError('commit_too_large'));
    const appends = (outcome: string) => read('pouw_store_append_duration_seconds_count', { outcome });
    expect([await appends('stored'), await appends('duplicate')]).toEqual([2, 1]);
    expect([await appends('conflict'), await appends('failed')]).toEqual([1, 1]);
    expect(await read('pouw_store_events_total')).toBe(2);
  });

  it('says how far its slowest reader is behind', async () => {
    const { metrics, read } = meter();
    const stores = localStores();
    const store = meterStore(stores.events, metrics);
    const chain = commitChain(testStream(1), 5);
    for (const commit of chain.slice(0, 2)) await store.append(commit);
    const { opened, open } = gate();
    const seen: number[] = [];
    const fast = store.subscribe(1, ({ position }) => void seen.push(position));
    const slow = store.subscribe(2, async ({ position }) => {
      if (position === 4) await opened;
    });
    for (const commit of chain.slice(2)) await store.append(commit);
    await expect.poll(() => seen.at(-1)).toBe(5);
    await expect.poll(() => read('pouw_log_applied_position')).toBe(3);
    expect([await read('pouw_log_head_position'), await read('pouw_log_lag_commits')]).toEqual([5, 2]);
    open();
    await expect.poll(() => read('pouw_log_lag_commits')).toBe(0);
    await Promise.all([fast.close(), slow.close()]);
  });

  it('takes the head from whoever knows it better', async () => {
    const { metrics, read } = meter();
    const stores = localStores();
    const store = meterStore(stores.events, metrics, { head: async () => 12 });
    const subscription = store.subscribe(1, () => undefined);
    await store.append(commitChain(testStream(1), 1)[0]!);
    await expect.poll(() => read('pouw_log_lag_commits')).toBe(11);
    await subscription.close();
  });
});

describe('a metered bus', () => {
  const node = toAddress(`0x${'11'.repeat(20)}`);
  const subject = commandSubject('miner', node, 'job', node);

  it('counts what is published and received by what it is', async () => {
    const { metrics, read } = meter();
    const bus = meterBus(createLocalBus(), metrics);
    const heard: string[] = [];
    bus.subscribe('pouw.v1.hb.*.*', (message) => void heard.push(message.subject));
    bus.publish(heartbeatSubject('miner', node), bytes('alive'));
    bus.publish('pouw.v1.elsewhere', bytes('nobody listens'));
    await expect.poll(() => heard).toEqual([heartbeatSubject('miner', node)]);
    expect(await read('pouw_bus_published_total', { kind: 'heartbeat' })).toBe(1);
    expect(await read('pouw_bus_published_bytes_total', { kind: 'heartbeat' })).toBe(5);
    expect(await read('pouw_bus_published_total', { kind: 'other' })).toBe(1);
    expect(await read('pouw_bus_received_total')).toBe(1);
    await bus.drain();
  });

  it('measures requests where they are sent and where they are answered', async () => {
    const { metrics, read } = meter();
    const bus = meterBus(createLocalBus(), metrics);
    const answers = [encodeReply({ ok: true }), encodeReply({ ok: false, code: 'miner_full', message: 'No.' })];
    bus.subscribe(subject, ({ respond }) => respond(answers.shift() ?? bytes('nonsense')));
    for (let count = 0; count < 3; count += 1) await bus.request(subject, bytes('a job'), { timeoutMs: 1_000 });
    const elsewhere = commandSubject('miner', node, 'cancel', node);
    await expect(bus.request(elsewhere, bytes('?'), { timeoutMs: 1_000 })).rejects.toEqual(pouwError('no_responders'));
    const requests = (code: string) => read('pouw_requests_total', { role: 'miner', verb: 'job', code });
    expect([await requests('ok'), await requests('miner_full'), await requests('message_malformed')]).toEqual([
      1, 1, 1,
    ]);
    expect(await read('pouw_request_duration_seconds_count', { role: 'miner', verb: 'job' })).toBe(3);
    const sent = (verb: string, code: string) => read('pouw_bus_request_duration_seconds_count', { verb, code });
    expect([await sent('job', 'ok'), await sent('cancel', 'no_responders')]).toEqual([3, 1]);
    await bus.drain();
  });

  it('counts what a full buffer lost and what was never sent', async () => {
    const { metrics, read } = meter();
    const bus = meterBus(createLocalBus(), metrics);
    const { opened, open } = gate();
    let slow = 0;
    bus.subscribe('pouw.v1.hb.*.*', () => opened.then(() => undefined), {
      maxPending: 1,
      onSlow: (dropped) => (slow += dropped),
    });
    for (let count = 0; count < 5; count += 1) bus.publish(heartbeatSubject('miner', node), bytes(count));
    await expect.poll(() => read('pouw_bus_dropped_total', { code: 'slow_subscriber' })).toBeGreaterThan(0);
    expect(await read('pouw_bus_dropped_total', { kind: 'heartbeat', code: 'slow_subscriber' })).toBe(slow);
    expect(() => bus.publish('two words', bytes('x'))).toThrow(/subject/);
    expect(await read('pouw_bus_dropped_total', { kind: 'other', code: 'invalid_subject' })).toBe(1);
    open();
    await bus.drain();
  });
});

describe('metered leases', () => {
  it('count how they were asked for, and those that are held', async () => {
    const { metrics, read } = meter();
    const clock = new VirtualClock({ startMs: 1_000 });
    const stores = localStores({ clock });
    const leases = meterLeases(stores.leases, metrics, clock);
    const lease = await leases.acquire('anchor', 'a', 100);
    expect(await leases.acquire('anchor', 'b', 100)).toBeUndefined();
    await leases.acquire('session.1', 'a', 1_000);
    expect(await read('pouw_leases_held')).toBe(2);
    await clock.advance(200);
    expect(await leases.renew(lease!, 100)).toBeUndefined();
    expect(await read('pouw_leases_held')).toBe(1);
    await leases.release((await leases.acquire('anchor', 'b', 100))!);
    expect(await read('pouw_leases_held')).toBe(1);
    const count = (operation: string, outcome: string) => read('pouw_lease_operations_total', { operation, outcome });
    expect([await count('acquire', 'ok'), await count('acquire', 'refused')]).toEqual([3, 1]);
    expect([await count('renew', 'refused'), await count('release', 'ok')]).toEqual([1, 1]);
  });
});

describe('metered content', () => {
  it('measures operations by outcome', async () => {
    const { metrics, read } = meter();
    const content = meterContent(await createHeliaContentStore(), metrics);
    ends.push(() => content.close());
    const cid = await content.put({ a: 1 });
    await content.flush();
    await content.get(cid, { timeoutMs: 1_000 });
    const lost = contentCid({ never: 'stored' });
    await expect(content.get(lost, { timeoutMs: 20 })).rejects.toEqual(pouwError('content_not_found'));
    const count = (operation: string, code: string) => read('pouw_content_duration_seconds_count', { operation, code });
    expect([await count('put', 'ok'), await count('flush', 'ok'), await count('get', 'ok')]).toEqual([1, 1, 1]);
    expect(await count('get', 'content_not_found')).toBe(1);
  });
});

describe('metered inference', () => {
  const request = {
    model: 'recorded-chat',
    prompt: question,
    maxTokens: 64,
    sampling: { temperature: 0, topP: 1, topK: 0, seed: seedOf(1) },
    timeoutMs: 5_000,
  };

  async function engine(metrics: PromMetrics) {
    const tokens = ['one ', 'two ', 'three '].map((text, id) => ({ id, text }));
    const recordings = [{ prompt: question, promptTokens: 7, tokens, finishReason: 'stop' }] as const;
    const inference = meterInference(createRecordedInference({ recordings }), metrics);
    ends.push(() => inference.close());
    await inference.load('recorded-chat');
    await inference.load('recorded-embed');
    return inference;
  }

  it('measures tokens, time and the time to the first one', async () => {
    const { metrics, read } = meter();
    const inference = await engine(metrics);
    for await (const event of inference.generate(request)) expect(event.type).toMatch(/token|done/);
    await inference.embed('recorded-embed', ['two words']);
    const model = 'recorded-chat';
    expect(await read('pouw_inference_tokens_total', { model, kind: 'prompt' })).toBe(7);
    expect(await read('pouw_inference_tokens_total', { model, kind: 'output' })).toBe(3);
    expect(await read('pouw_inference_requests_total', { model, operation: 'generate', outcome: 'stop' })).toBe(1);
    expect(await read('pouw_inference_first_token_seconds_count', { model })).toBe(1);
    expect(await read('pouw_inference_duration_seconds_count', { operation: 'generate' })).toBe(1);
    expect(await read('pouw_inference_requests_total', { operation: 'embed', outcome: 'ok' })).toBe(1);
  });

  it('does not count the tokens that another miner made', async () => {
    const { metrics, read } = meter();
    const inference = await engine(metrics);
    for await (const event of inference.generate({ ...request, prefix: [0] }))
      expect(event.type).toMatch(/prefix|token|done/);
    expect(await read('pouw_inference_tokens_total', { kind: 'output' })).toBe(2);
  });

  it('says that a reader left, and what went wrong', async () => {
    const { metrics, read } = meter();
    const inference = await engine(metrics);
    for await (const event of inference.generate(request)) if (event.type === 'token') break;
    const unheard = { ...request, model: 'who/knows' };
    await expect(collect(inference.generate(unheard))).rejects.toEqual(pouwError('model_not_found'));
    const count = (model: string, outcome: string) => read('pouw_inference_requests_total', { model, outcome });
    expect([await count('recorded-chat', 'cancelled'), await count('unknown', 'model_not_found')]).toEqual([1, 1]);
    expect(await read('pouw_inference_tokens_total', { kind: 'output' })).toBe(1);
  });
});

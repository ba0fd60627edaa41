import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock, systemRandom } from '../../src/adapters/local/system-clock.ts';
import { keccak256 } from '../../src/core/hash.ts';
import { type TaskId, taskId } from '../../src/core/ids.ts';
import { effectSpanOf, rootSpanOf, submissionSpanOf, traceIdOf } from '../../src/core/trace-ids.ts';
import { wei } from '../../src/core/wei.ts';
import { createGateway } from '../../src/gateway/gateway.ts';
import { metricCatalogue } from '../../src/ports/metric-catalogue.ts';
import { scratch, startTestNetwork, type TestNetwork } from '../kit/local-network.ts';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '../kit/otlp-receiver.ts';
import { readMetrics, type Sample, sumOf } from '../kit/prometheus.ts';

const place = scratch('operations');
const k = 3;
const validators = 2;

let collector: OtlpReceiver;
let samples: readonly Sample[];
let page: string;
let probes: Record<string, [number, unknown]>;
/** A task that came by HTTP, and one that a wallet put on chain. */
let asked: TaskId;
let direct: TaskId;

beforeAll(async () => {
  collector = await startOtlpReceiver();
  const on = await startTestNetwork(place.path, {
    operations: { otlpEndpoint: collector.endpoint, opsPort: 0 },
    anchorEveryMs: 500,
  });
  const { network, demo } = on;
  const { operations, front } = network;
  const { metrics, tracer, probes: asProbes } = operations;
  const watch = { metrics, tracer, probes: asProbes };
  const gateway = createGateway({ network: front, clock: systemClock, random: systemRandom, ...watch });
  const { url } = await gateway.listen('127.0.0.1', 0);
  asked = await askByHttp(url, demo.apiKey, network.engine.model);
  direct = await submitOnChain(on);
  const ops = operations.server?.url ?? '';
  const get = async (address: string): Promise<[number, string]> => {
    const response = await fetch(address);
    return [response.status, await response.text()];
  };
  const probe = async (address: string): Promise<[number, unknown]> => {
    const [status, body] = await get(address);
    return [status, JSON.parse(body)];
  };
  page = (await get(`${ops}/metrics`))[1];
  samples = readMetrics(page);
  probes = {
    alive: await probe(`${ops}/healthz`),
    ready: await probe(`${ops}/readyz`),
    gatewayReady: await probe(`${url}/readyz`),
    gatewayHealth: await probe(`${url}/healthz`),
  };
  for (const miner of network.miners) await miner.base.kill();
  probes['withoutMiners'] = await untilNotReady(() => probe(`${ops}/readyz`));
  await gateway.close();
  await network.stop(5_000);
});
afterAll(async () => {
  await collector.close();
  place.remove();
});

async function askByHttp(url: string, apiKey: string, model: string): Promise<TaskId> {
  const messages = [{ role: 'user', content: 'What is a dog?' }];
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, stream: true, max_tokens: 24, messages }),
  });
  return /"task":"(0x[0-9a-f]{64})"/.exec(await response.text())?.[1] as TaskId;
}

async function submitOnChain({ network, demo: { session } }: TestNetwork): Promise<TaskId> {
  const prompt = await network.ports.content.put({
    kind: 'prompt',
    v: 1,
    model: network.engine.model,
    prompt: { messages: [{ role: 'user', content: 'What is a doctor?' }] },
    sampling: { temperature: 0, topP: 1, topK: 0 },
    stop: [],
    topLogprobs: 0,
    maxTokens: 24,
  });
  const requestId = keccak256('direct');
  const task = taskId(session, requestId);
  const wish = { type: 'SubmitTask', session, requestId, prompt, maxTokens: 24, maxPriceWei: wei(10n ** 17n) } as const;
  await network.client.dispatch(wish, 'test');
  while ((await network.front.task(task))?.state !== 'settled') await systemClock.sleep(20);
  return task;
}

async function untilNotReady(probe: () => Promise<[number, unknown]>): Promise<[number, unknown]> {
  for (;;) {
    const answer = await probe();
    if (answer[0] !== 200) return answer;
    await systemClock.sleep(50);
  }
}

/** The spans of a task, and how to find them by what they are. */
function traceOf(task: TaskId) {
  const spans = collector.spans.filter(({ traceId }) => traceId === traceIdOf(task));
  const named = (name: string): readonly ReceivedSpan[] => spans.filter((span) => span.name === name);
  const parentOf = (span: ReceivedSpan): ReceivedSpan | undefined => spans.find(({ id }) => id === span.parent);
  /** Names of a span and of all that led to it, the root last. */
  const pathOf = (span: ReceivedSpan | undefined): string[] =>
    span === undefined ? [] : [span.name, ...pathOf(parentOf(span))];
  return { spans, named, parentOf, pathOf };
}

describe('the traces of a network', () => {
  it('are one per task', () => {
    const traces = new Set(collector.spans.map(({ traceId }) => traceId));
    expect(traces).toEqual(new Set([traceIdOf(asked), traceIdOf(direct)]));
  });

  it.each([
    ['came by HTTP', () => asked],
    ['was put on chain by a wallet', () => direct],
  ])('are whole for a task that %s: one root, no span twice, no parent missing', (_, task) => {
    const { spans, parentOf } = traceOf(task());
    const roots = spans.filter(({ parent }) => parent === '');
    expect(roots).toMatchObject([{ id: rootSpanOf(task()), name: 'task', attributes: { 'pouw.outcome': 'settled' } }]);
    expect(new Set(spans.map(({ id }) => id)).size).toBe(spans.length);
    expect(spans.filter((span) => span.parent !== '' && parentOf(span) === undefined)).toEqual([]);
    for (const span of spans) expect(span.endMs).toBeGreaterThanOrEqual(span.startMs);
  });

  it('lead from the request over the router to the chain', () => {
    const { named, pathOf } = traceOf(asked);
    expect(named('POST /v1/chat/completions')).toMatchObject([{ service: 'pouw-gateway', parent: rootSpanOf(asked) }]);
    expect(named('submit')).toMatchObject([{ service: 'pouw-router', id: submissionSpanOf(asked) }]);
    expect(pathOf(named('chain submit')[0])).toEqual([
      'chain submit',
      'effect submitOnChain',
      'submit',
      'POST /v1/chat/completions',
      'task',
    ]);
    const [root] = named('task');
    const [request] = named('POST /v1/chat/completions');
    expect(request?.startMs).toBe(root?.startMs);
  });

  it('lead from a wallet over the chain to the router', () => {
    const { named, pathOf } = traceOf(direct);
    expect(named('effect submitOnChain')).toMatchObject([{ service: 'pouw-client' }]);
    expect(pathOf(named('submit')[0])).toEqual(['submit', 'chain submit', 'effect submitOnChain', 'task']);
  });

  it('have every miner: its job, its words, its transactions', () => {
    const { named, pathOf, parentOf } = traceOf(asked);
    const jobs = named('job');
    expect(new Set(jobs.map(({ attributes }) => attributes['pouw.node'])).size).toBe(k);
    for (const job of jobs) {
      expect(job.service).toBe('pouw-miner');
      expect(pathOf(job).slice(0, 3)).toEqual(['job', 'effect sendJob', 'chain assign']);
    }
    const generated = named('inference generate');
    expect(generated).toHaveLength(k);
    for (const span of generated) {
      expect(pathOf(span).slice(0, 3)).toEqual(['inference generate', 'effect infer', 'job']);
      expect(span.attributes).toMatchObject({ 'pouw.finish_reason': 'length', 'pouw.tokens.output': 24 });
    }
    for (const call of ['ack', 'precommit', 'reveal']) {
      const effects = named(`effect ${call}OnChain`);
      expect(effects.map(({ service }) => service)).toEqual(Array.from({ length: k }, () => 'pouw-miner'));
    }
    // What they have signed their router brings for all of them.
    for (const call of ['precommitMany', 'revealMany']) {
      const sent = named(`chain ${call}`);
      expect(sent.map(({ service }) => service)).toEqual(['pouw-router']);
      expect(sent.map(parentOf)).toMatchObject([{ name: 'task' }]);
    }
  });

  it('have every validator: its scoring and its attestation', () => {
    const { named, pathOf } = traceOf(asked);
    expect(named('effect scoreResults')).toHaveLength(validators);
    expect(named('effect attestOnChain')).toHaveLength(validators);
    for (const span of named('effect attestOnChain')) {
      expect(pathOf(span).slice(0, 4)).toEqual([
        'effect attestOnChain',
        'effect scoreResults',
        'effect requestValidation',
        'chain revealMany',
      ]);
    }
    for (const span of named('inference embed')) expect(pathOf(span)[1]).toBe('effect scoreResults');
  });

  it('end with the settlement', () => {
    const { named, pathOf } = traceOf(asked);
    expect(named('chain settleWith').map(pathOf)).toEqual([['chain settleWith', 'task']]);
    expect(pathOf(named('effect recordOutcome')[0]).slice(0, 2)).toEqual(['effect recordOutcome', 'chain settleWith']);
    expect(named('effect recordOutcome')).toHaveLength(1);
  });

  it('name effects and transactions by their ids', () => {
    const { spans, named } = traceOf(asked);
    for (const { id, attributes } of spans.filter(({ name }) => name.startsWith('effect '))) {
      expect(id).toBe(effectSpanOf(attributes['pouw.effect.id'] as never));
    }
    for (const { id, attributes } of spans.filter(({ name }) => name.startsWith('chain '))) {
      expect(String(attributes['pouw.chain.tx']).slice(2, 18)).toBe(id);
    }
    expect(named('chain settleWith')[0]?.attributes['pouw.chain.gas']).toBeGreaterThan(21_000);
  });
});

describe('the metrics of a network', () => {
  it('tell what became of its tasks, and of the money', () => {
    expect(sumOf(samples, 'pouw_tasks_submitted_total', { source: 'router' })).toBe(1);
    expect(sumOf(samples, 'pouw_tasks_submitted_total', { source: 'chain' })).toBe(1);
    expect(sumOf(samples, 'pouw_tasks_settled_total')).toBe(2);
    expect(sumOf(samples, 'pouw_task_duration_seconds_count', { outcome: 'settled' })).toBe(2);
    expect(sumOf(samples, 'pouw_tasks_open')).toBe(0);
    expect(sumOf(samples, 'pouw_sessions_owned')).toBe(1);
    const money = (kind: string): number => sumOf(samples, 'pouw_sessions_money_cor', { kind });
    expect(money('paid')).toBeGreaterThan(0);
    const parts = ['balance', 'escrowed', 'paid', 'refunded'].map(money).reduce((sum, part) => sum + part, 0);
    expect(parts).toBeCloseTo(money('deposited'), 6);
    const reputations = samples.filter(({ name }) => name === 'pouw_miner_reputation_ratio');
    expect(reputations).toHaveLength(2 * 5);
    expect(Math.max(...reputations.map(({ value }) => value))).toBeGreaterThan(0.5);
  });

  it('tell what its parts have done', () => {
    expect(sumOf(samples, 'pouw_chain_transactions_total', { call: 'revealMany', code: 'ok' })).toBe(2);
    expect(sumOf(samples, 'pouw_chain_gas_used_total', { call: 'settleWith' })).toBeGreaterThan(21_000);
    expect(sumOf(samples, 'pouw_chain_up')).toBe(1);
    expect(sumOf(samples, 'pouw_chain_follower_lag_blocks')).toBeLessThan(5);
    expect(sumOf(samples, 'pouw_effect_attempts_total', { role: 'miner', effect: 'infer' })).toBe(2 * k);
    expect(sumOf(samples, 'pouw_requests_total', { role: 'miner', verb: 'job', code: 'ok' })).toBe(2 * k);
    const tokens = sumOf(samples, 'pouw_task_tokens_total', { kind: 'output' });
    expect(tokens).toBeGreaterThan(24);
    expect(sumOf(samples, 'pouw_inference_tokens_total', { kind: 'output' })).toBe(k * tokens);
    expect(sumOf(samples, 'pouw_bus_received_total', { kind: 'tokens' })).toBeGreaterThan(k * tokens);
    expect(sumOf(samples, 'pouw_store_append_duration_seconds_count', { outcome: 'stored' })).toBe(
      sumOf(samples, 'pouw_log_head_position'),
    );
    expect(sumOf(samples, 'pouw_http_first_token_seconds_count', { route: '/v1/chat/completions' })).toBe(1);
  });

  it('are those of the catalogue, and say nothing about who asked for what', () => {
    for (const name of Object.keys(metricCatalogue)) expect(page).toContain(`# TYPE ${name} `);
    expect(page).not.toContain(asked);
    expect(page).not.toMatch(/pouw_[A-Za-z0-9_-]{43}/);
  });
});

describe('the probes of a network', () => {
  it('say that it lives and that it is ready, at both doors', () => {
    expect(probes['alive']).toMatchObject([200, { status: 'ok' }]);
    const ready = [200, { status: 'ready', checks: { log: 'ok', chain: 'ok', miners: 'ok' } }];
    expect([probes['ready'], probes['gatewayReady']]).toEqual([ready, ready]);
    expect(probes['gatewayHealth']).toMatchObject([200, { status: 'ok', ready: true, miners: 5 }]);
  });

  it('name what is missing', () => {
    expect(probes['withoutMiners']).toMatchObject([503, { status: 'unavailable', missing: ['miners'] }]);
  });
});

it('the log tells of what was missing, without a key', () => {
  const log = readFileSync(join(place.path, 'pouw.log'), 'utf8');
  expect(log).toMatch(/"level":"warn",.*"check":"miners","code":"no_miners"/);
  expect(log).not.toMatch(/pouw_[A-Za-z0-9_-]{43}/);
});

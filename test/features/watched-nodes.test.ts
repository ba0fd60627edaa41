import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLocalBus } from '../../src/adapters/local/local-bus.ts';
import { type LocalStores, openLocalStores } from '../../src/adapters/local/local-stores.ts';
import { systemRandom } from '../../src/adapters/local/system-clock.ts';
import { createPromMetrics, type PromMetrics } from '../../src/adapters/metrics/prom-metrics.ts';
import { openOtlpTracer, type OtlpTracer } from '../../src/adapters/otlp/otlp-tracer.ts';
import { PouwError } from '../../src/core/errors.ts';
import { signerFromSeed } from '../../src/core/ed25519.ts';
import { keccak256 } from '../../src/core/hash.ts';
import { effectId, streamId, type TaskId, toAddress } from '../../src/core/ids.ts';
import { effectSpanOf, rootSpanOf, traceIdOf, transactionSpanOf } from '../../src/core/trace-ids.ts';
import { NodeDirectory } from '../../src/nodes/directory.ts';
import { NodeBase } from '../../src/nodes/node-base.ts';
import { watchTogether } from '../../src/nodes/node-watch.ts';
import { meterNodes } from '../../src/operations/metered-nodes.ts';
import { traceNodes } from '../../src/operations/traced-nodes.ts';
import { type LogFields, silentLog } from '../../src/ports/log.ts';
import type { ActorDefinition, EffectHandler } from '../../src/runtime/actor.ts';
import { VirtualClock } from '../../src/sim/virtual-clock.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../kit/otlp-receiver.ts';
import { readMetrics, sumOf } from '../kit/prometheus.ts';
import { type JarCommand, type JarContext, jarActor } from './runtime/jar-actor.ts';

const task = keccak256('a task') as TaskId;
const txHash = keccak256('a transaction');
const address = toAddress(`0x${'11'.repeat(20)}`);
const stream = streamId('miner', 'jar');
const identity = { role: 'miner', address, signer: signerFromSeed(new Uint8Array(32).fill(7)) } as const;

/** The jar, with effects that are for a task. */
const taskJar: ActorDefinition<JarContext, JarCommand> = {
  ...jarActor,
  fold: {
    initial: jarActor.fold.initial,
    knows: (type) => jarActor.fold.knows(type),
    step: (state, event) => {
      const step = jarActor.fold.step(state, event);
      return { ...step, effects: step.effects.map((effect) => ({ ...effect, task })) };
    },
  },
};

let stores: LocalStores;
let clock: VirtualClock;
let metrics: PromMetrics;
let collector: OtlpReceiver;
let tracer: OtlpTracer;
let lines: [message: string, fields: LogFields | undefined][];

beforeEach(async () => {
  stores = openLocalStores({ path: ':memory:' });
  clock = new VirtualClock({
    startMs: 1_700_000_000_000,
    settle: () => new Promise((resolve) => setTimeout(resolve, 2)),
  });
  metrics = createPromMetrics();
  collector = await startOtlpReceiver();
  tracer = openOtlpTracer({ endpoint: collector.endpoint, version: 'test' });
  lines = [];
});
afterEach(async () => {
  await tracer.close();
  await collector.close();
  await stores.close();
});

/** A node of the jar whose effects are carried out by `tell`. */
function node(tell: EffectHandler): NodeBase {
  const log = { ...silentLog, warn: (message: string, fields?: LogFields) => void lines.push([message, fields]) };
  const { events: store, snapshots, journal, leases } = stores;
  const unused = undefined as never;
  const watch = watchTogether([meterNodes(metrics), traceNodes({ tracer, clock, log, store })]);
  const ports = { store, snapshots, journal, leases, clock, random: systemRandom, log, watch };
  return new NodeBase(
    identity,
    { ...ports, bus: createLocalBus(), chain: unused, content: unused, directory: new NodeDirectory() },
    { actors: [taskJar], handlers: { tell } },
  );
}

async function read(name: string, labels?: Record<string, string>): Promise<number> {
  return sumOf(readMetrics(await metrics.text()), name, labels);
}

/** Fails so often, with time passing in each attempt, then works. */
function failing(times: number): EffectHandler {
  let left = times;
  return async () => {
    if (left > 0) {
      left -= 1;
      throw new PouwError('no_miners', 'None is there.');
    }
  };
}

describe('the metrics of a node', () => {
  it('count its commands by what became of them', async () => {
    const base = node(async () => undefined);
    await base.dispatch(taskJar, stream, { type: 'Put', count: 2 }, 'request:1');
    await expect(base.dispatch(taskJar, stream, { type: 'Take', count: 3 }, 'request:2')).rejects.toThrow('holds 2');
    await base.stop(0);
    await expect(base.dispatch(taskJar, stream, { type: 'Put', count: 1 }, 'request:3')).rejects.toThrow('stopping');
    const count = (command: string, code: string) => read('pouw_commands_total', { role: 'miner', command, code });
    expect([await count('Put', 'ok'), await count('Take', 'jar_short'), await count('Put', 'host_stopped')]).toEqual([
      1, 1, 1,
    ]);
    expect(await read('pouw_command_duration_seconds_count', { role: 'miner' })).toBe(3);
  });

  it('count attempts at effects and why they failed, and show what is in hand until the node ends', async () => {
    const base = node(failing(1));
    await base.dispatch(taskJar, stream, { type: 'Put', count: 2 }, 'request:1');
    const state = (name: string) => read('pouw_effects', { role: 'miner', state: name });
    await expect.poll(() => state('backed_off')).toBe(1);
    expect(await read('pouw_effect_failures_total', { role: 'miner', effect: 'tell', code: 'no_miners' })).toBe(1);
    expect(await read('pouw_actors', { role: 'miner' })).toBe(1);
    await clock.advance(200);
    await expect.poll(() => state('backed_off')).toBe(0);
    await expect.poll(() => read('pouw_effect_attempts_total', { role: 'miner', effect: 'tell' })).toBe(2);
    expect(await read('pouw_effect_duration_seconds_count', { effect: 'tell' })).toBe(2);
    await base.stop(0);
  });

  it('count what it dropped', async () => {
    const base = node(async () => undefined);
    base.drop('message_malformed', 'pouw.v1.hb.miner.0x01', new Error('no JSON'));
    expect(await read('pouw_bus_dropped_total', { kind: 'heartbeat', code: 'message_malformed' })).toBe(1);
    await base.stop(0);
  });
});

describe('the trace of an effect', () => {
  const first = effectId(stream, 1, 0);

  it('is one span over all attempts, led to by what caused its commit', async () => {
    const base = node(failing(2));
    await base.dispatch(taskJar, stream, { type: 'Put', count: 2 }, `chain:${txHash}:3`);
    for (let turn = 0; turn < 8; turn += 1) await clock.advance(100);
    await base.host.idle();
    await base.dispatch(taskJar, stream, { type: 'Put', count: 1 }, first);
    await base.host.idle();
    await base.stop(0);
    await tracer.close();
    const common = { traceId: traceIdOf(task), name: 'effect tell', service: 'pouw-miner', error: undefined };
    expect(collector.spans).toMatchObject([
      {
        ...common,
        id: effectSpanOf(first),
        parent: transactionSpanOf(txHash),
        startMs: 1_700_000_000_000,
        endMs: 1_700_000_000_600,
        attributes: { 'pouw.effect.id': first, 'pouw.effect.attempts': 3, 'pouw.node': address },
      },
      { ...common, id: effectSpanOf(effectId(stream, 2, 0)), parent: effectSpanOf(first) },
    ]);
  });

  it('is whole although another process asked for it', async () => {
    const died = node(failing(100));
    await died.dispatch(taskJar, stream, { type: 'Put', count: 2 }, `chain:${txHash}:3`);
    await died.stop(0);
    const next = node(async () => undefined);
    await next.host.wake([stream]);
    await next.host.idle();
    await next.stop(0);
    await tracer.close();
    expect(collector.spans).toMatchObject([{ id: effectSpanOf(first), parent: transactionSpanOf(txHash) }]);
  });

  it('hangs below the task where nothing else is known to have led to it', async () => {
    const base = node(async () => undefined);
    await base.dispatch(taskJar, stream, { type: 'Put', count: 2 }, 'timer:alarm');
    await base.host.idle();
    await base.stop(0);
    await tracer.close();
    expect(collector.spans).toMatchObject([{ parent: rootSpanOf(task) }]);
  });

  it('is what is active while it is carried out', async () => {
    let active: unknown;
    const base = node(async () => {
      active = tracer.active();
    });
    await base.dispatch(taskJar, stream, { type: 'Put', count: 2 }, 'request:1');
    await base.host.idle();
    await base.stop(0);
    expect(active).toEqual({ id: effectSpanOf(first), task, role: 'miner', node: address });
  });
});

it('the log of a node says which node of which role it was, and for which task', async () => {
  const base = node(failing(1));
  await base.dispatch(taskJar, stream, { type: 'Put', count: 2 }, 'request:1');
  await expect.poll(() => lines.length).toBe(1);
  expect(lines).toMatchObject([
    ['an effect failed', { role: 'miner', node: address, task, kind: 'tell', code: 'no_miners', attempt: 1 }],
  ]);
  await base.stop(0);
});

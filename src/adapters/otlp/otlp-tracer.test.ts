import { afterEach, describe, expect, test } from 'vitest';
import { type OtlpReceiver, startOtlpReceiver } from '../../../test/kit/otlp-receiver.ts';
import { keccak256 } from '../../core/hash.ts';
import type { TaskId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { rootSpanOf, submissionSpanOf } from '../../core/trace-ids.ts';
import type { SpanRecord } from '../../ports/tracer.ts';
import { openOtlpTracer, type OtlpTracer } from './otlp-tracer.ts';

const task = `0x${'5a'.repeat(16)}${'c3'.repeat(16)}` as TaskId;
const root: SpanRecord = {
  task,
  id: rootSpanOf(task),
  name: 'task',
  kind: 'internal',
  role: 'router',
  node: '0x01',
  startMs: 1_700_000_000_000,
  endMs: 1_700_000_000_250,
  attributes: { 'pouw.outcome': 'settled', 'pouw.tokens': 7 },
};

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

async function traced(ratio?: number): Promise<{ collector: OtlpReceiver; tracer: OtlpTracer; told: string[] }> {
  const collector = await startOtlpReceiver();
  const told: string[] = [];
  const tracer = openOtlpTracer({
    endpoint: `${collector.endpoint}/`,
    version: '1.2.3',
    onExport: (state) => told.push(state),
    ...(ratio === undefined ? {} : { ratio }),
  });
  open.push(
    () => collector.close(),
    () => tracer.close(),
  );
  return { collector, tracer, told };
}

describe('a tracer', () => {
  test('exports each role as a service of its own, with the node as an attribute', async () => {
    const { collector, tracer } = await traced();
    const { node: _, attributes: __, ...gateway } = root;
    tracer.record(root);
    tracer.record({ ...gateway, role: 'gateway', id: submissionSpanOf(task), parent: rootSpanOf(task) });
    await tracer.close();
    expect(collector.spans).toMatchObject([
      { service: 'pouw-router', attributes: { 'pouw.outcome': 'settled', 'pouw.tokens': 7, 'pouw.node': '0x01' } },
      { service: 'pouw-gateway', attributes: {} },
    ]);
  });

  test('traces the same share of tasks in every process, or none', async () => {
    const { collector, tracer } = await traced(0.5);
    const other = openOtlpTracer({ endpoint: collector.endpoint, version: '1.2.3', ratio: 0.5 });
    const tasks = Array.from({ length: 64 }, (_, n) => keccak256(`task ${n}`) as TaskId);
    for (const one of tasks) {
      tracer.record({ ...root, task: one, id: rootSpanOf(one) });
      other.record({ ...root, task: one, id: submissionSpanOf(one), parent: rootSpanOf(one) });
    }
    await tracer.close();
    await other.close();
    const counts = Map.groupBy(collector.spans, ({ traceId }) => traceId);
    expect(counts.size).toBeGreaterThan(10);
    expect(counts.size).toBeLessThan(55);
    expect(new Set([...counts.values()].map((spans) => spans.length))).toEqual(new Set([2]));
  });

  test('keeps as many spans as the bound allows, and drops the rest', async () => {
    const { collector, tracer } = await traced();
    // One batch is on its way already while the others wait.
    const kept = limits.traceBatchSpansMax + limits.tracePendingSpansMax;
    for (let count = 0; count < kept + 10; count += 1) {
      tracer.record({ ...root, id: tracer.newSpan(), parent: rootSpanOf(task) });
    }
    await tracer.close();
    expect(collector.spans).toHaveLength(kept);
  });

  test('says once that its collector takes nothing, and ends all the same', async () => {
    const { collector, tracer, told } = await traced();
    collector.answerWith(400);
    tracer.record(root);
    await tracer.close();
    expect(told).toEqual(['failing']);
    expect(collector.spans).toEqual([]);
  });

  test('does not wait for a collector that never answers', async () => {
    const silent = await traced();
    silent.collector.answerWith(0);
    silent.tracer.record(root);
    await silent.tracer.close();
    expect(silent.collector.spans).toEqual([]);
  });
});

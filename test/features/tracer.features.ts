import { expect } from 'vitest';
import type { TaskId } from '../../src/core/ids.ts';
import { type RemoteSpan, rootSpanOf, type SpanId, submissionSpanOf, traceIdOf } from '../../src/core/trace-ids.ts';
import type { SpanRecord, Tracer } from '../../src/ports/tracer.ts';
import { aMoment, type Disposable, type Feature, testFeatures } from './feature.ts';

/** A tracer that is told something. */
export interface ToldTracerHarness extends Disposable {
  readonly tracer: Tracer;
}

/** A span as whoever looks at traces has it. */
export type SeenSpan = Pick<SpanRecord, 'name' | 'startMs' | 'endMs'> & {
  readonly traceId: string;
  readonly id: string;
  /** Empty for a root. */
  readonly parent: string;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** The ids of the spans that it belongs to as well. */
  readonly links: readonly string[];
  /** The code of a failure; undefined where nothing failed. */
  readonly error: string | undefined;
};

/** A tracer of every task, and the spans it has told of; none is recorded after they were read. */
export interface TracerHarness extends ToldTracerHarness {
  readonly spans: () => Promise<readonly SeenSpan[]>;
}

const task = `0x${'5a'.repeat(16)}${'c3'.repeat(16)}` as TaskId;
const parent = rootSpanOf(task);
const times = { startMs: 1_700_000_000_000, endMs: 1_700_000_000_250 };
const root: SpanRecord = { task, id: parent, name: 'task', kind: 'internal', role: 'router', ...times };
const child: SpanRecord = { ...root, id: submissionSpanOf(task), parent, name: 'POST /', kind: 'server' };

/** What a tracer promises to whoever is traced, also where nothing is recorded. */
export const toldTracerFeatureList: readonly Feature<ToldTracerHarness>[] = [
  {
    name: 'takes any span, and none is an error of who records it',
    check: async ({ tracer }) => {
      const link: RemoteSpan = { traceId: 'no trace', id: '' as SpanId };
      const odd = { name: '', node: '', error: '', attributes: { '': NaN, long: 'x'.repeat(100_000) }, links: [link] };
      const wrong = { task: '' as TaskId, id: '' as SpanId, kind: 'unheard of' as 'client' };
      const ends = [-1, NaN, Infinity, Number.MAX_SAFE_INTEGER];
      for (const endMs of ends) expect(tracer.record({ ...root, endMs, startMs: -endMs })).toBeUndefined();
      for (const one of [root, child, { ...root, ...odd }, { ...child, ...wrong }])
        for (const _ of [1, 2]) expect(tracer.record(one)).toBeUndefined();
    },
  },
  {
    name: 'does what is to be done within a span once, and hands on its result or its error',
    check: async ({ tracer }) => {
      const broken = (): never => {
        throw new Error('broken');
      };
      for (const span of [{ id: tracer.newSpan(), task }, undefined]) {
        let runs = 0;
        expect(tracer.within(span, () => (runs += 1))).toBe(1);
        expect(await tracer.within(span, async () => 'later')).toBe('later');
        expect(() => tracer.within(span, broken)).toThrow('broken');
        await expect(tracer.within(span, async () => broken())).rejects.toThrow('broken');
      }
    },
  },
  {
    name: 'is within no span at first, nor once what was done within one is over',
    check: async ({ tracer }) => {
      expect(tracer.active()).toBeUndefined();
      await tracer.within({ id: tracer.newSpan() }, () => aMoment(1));
      expect(tracer.active()).toBeUndefined();
      expect(
        tracer.within({ id: tracer.newSpan() }, () => tracer.within(undefined, () => tracer.active())),
      ).toBeUndefined();
    },
  },
];

/** What a tracer promises. */
export const tracerFeatureList: readonly Feature<TracerHarness>[] = [
  ...toldTracerFeatureList,
  {
    name: 'is enabled, and has each span under the ids it was given, below its parent',
    check: async ({ tracer, spans }) => {
      expect(tracer.enabled).toBe(true);
      const link: RemoteSpan = { traceId: 'ab'.repeat(16), id: 'cd'.repeat(8) as SpanId };
      tracer.record({ ...root, attributes: { 'pouw.outcome': 'settled', 'pouw.tokens': 7, 'pouw.first': true } });
      tracer.record({ ...child, links: [link] });
      const seen = { traceId: traceIdOf(task), ...times, error: undefined };
      const attributes = { 'pouw.outcome': 'settled', 'pouw.tokens': 7, 'pouw.first': true };
      expect(await spans()).toMatchObject([
        { ...seen, id: root.id, parent: '', name: 'task', attributes, links: [] },
        { ...seen, id: child.id, parent, name: 'POST /', links: [link.id] },
      ]);
    },
  },
  {
    name: 'says what failed by its code, and never ends a span before its start',
    check: async ({ tracer, spans }) => {
      tracer.record({ ...root, endMs: root.startMs - 5, error: 'task_expired' });
      const { startMs } = root;
      expect(await spans()).toMatchObject([{ error: 'task_expired', startMs, endMs: startMs }]);
    },
  },
  {
    name: 'has the spans of a task that comes after one that could not be told',
    check: async ({ tracer, spans }) => {
      tracer.record({ ...child, startMs: NaN, endMs: NaN, attributes: { tokens: NaN } });
      tracer.record(root);
      expect(await spans()).toContainEqual(expect.objectContaining({ id: root.id, ...times }));
    },
  },
  {
    name: 'makes ids of 16 digits that no other span has',
    check: async ({ tracer }) => {
      const ids = Array.from({ length: 1_000 }, () => tracer.newSpan());
      for (const id of ids) expect(id).toMatch(/^[0-9a-f]{16}$/);
      expect(new Set(ids).size).toBe(ids.length);
    },
  },
  {
    name: 'knows the span that something is done within, over everything that is awaited there',
    check: async ({ tracer }) => {
      const here = async (): Promise<SpanId | undefined> => {
        await new Promise((resolve) => setImmediate(resolve));
        await aMoment(1);
        return tracer.active()?.id;
      };
      const [one, two] = [tracer.newSpan(), tracer.newSpan()];
      const both = [tracer.within({ id: one }, here), tracer.within({ id: two }, here), here()];
      expect(await Promise.all(both)).toEqual([one, two, undefined]);
      expect(await tracer.within({ id: one }, () => tracer.within(undefined, here))).toBeUndefined();
      const nested = tracer.within({ id: one }, async () => [await tracer.within({ id: two }, here), await here()]);
      expect(await nested).toEqual([two, one]);
    },
  },
  {
    name: 'hands out the active span whole, as it was given',
    check: async ({ tracer }) => {
      const told: TaskId[] = [];
      const span = { id: tracer.newSpan(), role: 'gateway', startMs: 5, onTask: (one: TaskId) => void told.push(one) };
      expect(tracer.within(span, () => tracer.active())).toBe(span);
      tracer.within(span, () => tracer.active()?.onTask?.(task));
      expect(told).toEqual([task]);
    },
  },
];

/** The contract of the Tracer port. */
export function tracerFeatures(name: string, make: () => Promise<TracerHarness>): void {
  testFeatures('tracer', name, tracerFeatureList, make);
}

/** The part of it that holds for a tracer that records nothing too. */
export function toldTracerFeatures(name: string, make: () => Promise<ToldTracerHarness>): void {
  testFeatures('tracer', name, toldTracerFeatureList, make);
}

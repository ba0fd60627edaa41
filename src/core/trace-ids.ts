import { type Hex, sha256 } from './hash.ts';
import type { Address, EffectId, TaskId } from './ids.ts';

declare const brand: unique symbol;

/** The id of a span: 16 lower-case hexadecimal digits. */
export type SpanId = string & { readonly [brand]: 'SpanId' };

/**
 * The trace of a task: its id's first 16 bytes, in 32 hexadecimal digits. Every process knows it without being told.
 */
export function traceIdOf(task: TaskId): string {
  return task.slice(2, 34);
}

/** The root of a task's trace, from its submission to its end: the 8 bytes of its id that follow. */
export function rootSpanOf(task: TaskId): SpanId {
  return task.slice(34, 50) as SpanId;
}

/** The acceptance of a task into its session's log. */
export function submissionSpanOf(task: TaskId): SpanId {
  return spanNamed(`submit:${task}`);
}

/** A miner's job, from its receipt to its end. */
export function jobSpanOf(task: TaskId, attempt: number, miner: Address): SpanId {
  return spanNamed(`job:${task}:${attempt}:${miner}`);
}

/** The carrying out of an effect, all attempts together. */
export function effectSpanOf(effect: EffectId): SpanId {
  return spanNamed(`effect:${effect}`);
}

/** A transaction: the first 8 bytes of its hash. */
export function transactionSpanOf(txHash: Hex): SpanId {
  return txHash.slice(2, 18) as SpanId;
}

const effectPattern = /^[a-z]+\.[\w-]+:\d+:\d+$/;
const factPattern = /^chain:(0x[0-9a-f]{64}):\d+$/;

/**
 * The span that a commit's cause names: an effect's or a transaction's, whoever carried it out; the root of the task
 * where it names neither. So a trace has its shape by the log alone, over processes and restarts.
 */
export function spanOfCause(cause: string, task: TaskId): SpanId {
  if (effectPattern.test(cause)) return effectSpanOf(cause as EffectId);
  const txHash = factPattern.exec(cause)?.[1];
  return txHash === undefined ? rootSpanOf(task) : transactionSpanOf(txHash as Hex);
}

function spanNamed(name: string): SpanId {
  return sha256(name).slice(0, 16) as SpanId;
}

/** The header of W3C Trace Context for a span of a task's trace, which is being recorded. */
export function traceparent(task: TaskId, span: SpanId): string {
  return `00-${traceIdOf(task)}-${span}-01`;
}

/** A span that somebody else has named in a `traceparent` header. */
export interface RemoteSpan {
  readonly traceId: string;
  readonly id: SpanId;
}

const traceparentPattern = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?$/;

/** Reads a `traceparent` header; undefined where it is none. */
export function parseTraceparent(header: string | undefined): RemoteSpan | undefined {
  const [, traceId = '', id = ''] = traceparentPattern.exec(header ?? '') ?? [];
  const isSet = (digits: string): boolean => /[^0]/.test(digits);
  return isSet(traceId) && isSet(id) ? { traceId, id: id as SpanId } : undefined;
}

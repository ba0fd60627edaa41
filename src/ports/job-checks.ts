import { assert } from '../core/assert.ts';
import { PouwError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';

/**
 * What every queue of jobs refuses before it takes a job.
 *
 * @throws PouwError `job_too_large`.
 */
export function checkJob(model: string, id: string, body: Uint8Array): void {
  const modelBytes = new TextEncoder().encode(model).length;
  assert(modelBytes >= 1 && modelBytes <= limits.modelIdBytesMax, `not the id of a model: ${model}`);
  assert(/^[\x21-\x7e]+$/.test(id) && id.length <= limits.jobIdCharsMax, `not the id of a job: ${id}`);
  if (body.length <= limits.jobBytesMax) return;
  throw new PouwError('job_too_large', `The job ${id} has ${body.length} bytes.`, {
    class: 'too-large',
    why: `A job has at most ${limits.jobBytesMax} bytes.`,
    hint: 'Put large content into the content store and its identifier into the job.',
    details: { id, bytes: body.length },
  });
}

/** Asserts a worker's number of jobs in hand. */
export function checkConcurrency(concurrency: number): void {
  const isSound = Number.isSafeInteger(concurrency) && concurrency >= 1 && concurrency <= limits.jobsInHandMax;
  assert(isSound, `a worker has 1 to ${limits.jobsInHandMax} jobs in hand, not ${concurrency}`);
}

/** The error for a queue that takes no more. */
export function queueFull(model: string, most: number): PouwError {
  return new PouwError('queue_full', `The queue of ${model} is full: ${most} jobs wait or are being done.`, {
    class: 'busy',
    why: 'Jobs come in faster than the miners of the model do them.',
    hint: 'Try again later, or let more miners serve the model.',
    details: { model, most },
  });
}

/** The error for a queue that was closed. */
export function queueClosed(): PouwError {
  return new PouwError('queue_closed', 'The queue of jobs is closed.', { class: 'unavailable' });
}

/** Why a job is dead that was handed out too often. */
export function triedTooOften(deliveries: number): string {
  return `handed out ${deliveries} times and never done`;
}

/** A reason as it is kept. */
export function keptReason(reason: string): string {
  return reason.slice(0, limits.deadReasonCharsMax);
}

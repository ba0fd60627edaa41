import { sha256 } from '../../../core/hash.ts';
import { limits } from '../../../core/limits.ts';
import type { DeadJob } from '../../../ports/job-queue.ts';

/**
 * A job so that its dead letter fits into a message, whatever was put into the queue past our own checks: one that does
 * not fit could never be put aside, and would come back for ever.
 */
export function fitForDead<Job extends Pick<DeadJob, 'id' | 'body'>>(job: Job): Job & Pick<DeadJob, 'cut'> {
  const id = job.id.slice(0, limits.jobIdCharsMax);
  if (job.body.length <= limits.jobBytesMax) return { ...job, id };
  const cut = { bytes: job.body.length, sha256: sha256(job.body) };
  return { ...job, id, body: job.body.subarray(0, limits.jobBytesMax), cut };
}

/** A dead job as the text of a message. */
export function deadJobToText({ body, ...rest }: DeadJob): string {
  return JSON.stringify({ ...rest, body: Buffer.from(body).toString('base64') });
}

/** The dead job in a message; undefined where it is none. */
export function deadJobFromText(data: Uint8Array): DeadJob | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(data).toString('utf8'));
  } catch {
    return undefined;
  }
  const { id, model, body, attempts, reason, at, cut } = (value ?? {}) as Partial<Record<string, unknown>>;
  if (typeof id !== 'string' || typeof model !== 'string' || typeof body !== 'string') return undefined;
  if (typeof reason !== 'string' || reason.length > limits.deadReasonCharsMax) return undefined;
  if (!Number.isSafeInteger(attempts) || !Number.isSafeInteger(at)) return undefined;
  return {
    id,
    model,
    body: new Uint8Array(Buffer.from(body, 'base64')),
    ...(isCut(cut) ? { cut } : {}),
    attempts: attempts as number,
    reason,
    at: at as number,
  };
}

function isCut(value: unknown): value is NonNullable<DeadJob['cut']> {
  const { bytes, sha256: hash } = (value ?? {}) as Partial<Record<string, unknown>>;
  return Number.isSafeInteger(bytes) && typeof hash === 'string' && /^[0-9a-f]{64}$/.test(hash);
}

import { limits } from '../../../core/limits.ts';
import type { DeadJob } from '../../../ports/job-queue.ts';

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
  const { id, model, body, attempts, reason, at } = (value ?? {}) as Partial<Record<string, unknown>>;
  if (typeof id !== 'string' || typeof model !== 'string' || typeof body !== 'string') return undefined;
  if (typeof reason !== 'string' || reason.length > limits.deadReasonCharsMax) return undefined;
  if (!Number.isSafeInteger(attempts) || !Number.isSafeInteger(at)) return undefined;
  return {
    id,
    model,
    body: new Uint8Array(Buffer.from(body, 'base64')),
    attempts: attempts as number,
    reason,
    at: at as number,
  };
}

import type { z } from 'zod';
import type { BatchContent, BatchOutcomes, BatchReveals, BatchTasks } from '../core/batch/content.ts';
import { PouwError } from '../core/errors.ts';
import type { Cid } from '../core/ids.ts';
import { batchOutcomesContent, batchRevealsContent, batchTasksContent } from '../messages/batches.ts';
import type { ContentStore } from '../ports/content-store.ts';

/** How long the content of a batch may take to arrive. */
const timeoutMs = 10_000;

/** What is read of a content store. */
type Contents = Pick<ContentStore, 'get'>;

/** The tasks of a batch. @throws PouwError `content_not_found`, `batch_malformed`. */
export function readTasks(contents: Contents, cid: Cid, signal?: AbortSignal): Promise<BatchTasks> {
  return read(contents, cid, batchTasksContent, signal);
}

/** What was shown in a batch. @throws PouwError `content_not_found`, `batch_malformed`. */
export function readReveals(contents: Contents, cid: Cid, signal?: AbortSignal): Promise<BatchReveals> {
  return read(contents, cid, batchRevealsContent, signal);
}

/** All content of a posted batch, from that of its outcomes. @throws PouwError `content_not_found`, `batch_malformed`. */
export async function readBatch(contents: Contents, cid: Cid, signal?: AbortSignal): Promise<Required<BatchContent>> {
  const outcomes: BatchOutcomes = await read(contents, cid, batchOutcomesContent, signal);
  const reveals = await readReveals(contents, outcomes.reveals, signal);
  return { outcomes, reveals, tasks: await readTasks(contents, reveals.tasks, signal) };
}

async function read<T>(contents: Contents, cid: Cid, schema: z.ZodType<T>, signal?: AbortSignal): Promise<T> {
  const found = await contents.get(cid, { timeoutMs, ...(signal === undefined ? {} : { signal }) });
  const parsed = schema.safeParse(found);
  if (parsed.success) return parsed.data;
  throw new PouwError('batch_malformed', `The content ${cid} is not that of a batch.`, {
    class: 'corrupt',
    why: parsed.error.message,
  });
}

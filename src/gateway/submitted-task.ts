import type { FastifyRequest } from 'fastify';
import { PouwError } from '../core/errors.ts';
import type { Delivery, TaskHandle, TaskUpdate } from '../ports/gateway-network.ts';
import { type Edge, exchangeOf } from './edge.ts';
import type { TaskId } from '../core/ids.ts';
import { requestIdOf } from './request-id.ts';
import type { WantedTask } from './requests/task-fields.ts';

/**
 * Submits a task for an HTTP request.
 *
 * @param ownId what the request's body names it, before its `Idempotency-Key`.
 * @throws PouwError whatever the network refuses it with.
 */
export async function submitTask(
  { network, watch }: Pick<Edge, 'network' | 'watch'>,
  request: FastifyRequest,
  wanted: WantedTask,
  delivery: Delivery,
  ownId?: string,
): Promise<TaskHandle> {
  const { session, signal } = exchangeOf(request);
  const requestId = requestIdOf(request.headers, session, ownId);
  const asked = { ...wanted, session, delivery, ...(requestId === undefined ? {} : { requestId }) };
  const handle = await watch.within(request, () => network.submit(asked, signal));
  watch.about(request, handle.task);
  return handle;
}

/**
 * Follows a task that was submitted for the sake of this answer. When the answer ends early the task is
 * cancelled and its miners are free, for nobody waits for them any more; but not where the client named the
 * request by an `Idempotency-Key`, which says that it may come back for the answer.
 */
export async function followSubmitted<Result>(
  edge: Edge,
  request: FastifyRequest,
  handle: TaskHandle,
  follow: (handle: TaskHandle) => Promise<Result>,
): Promise<Result> {
  let isWhole = false;
  let hasFailed = false;
  const updates = noting(handle.updates, ({ type }) => {
    isWhole ||= type === 'done';
    hasFailed ||= type === 'failed';
  });
  try {
    return await follow({ ...handle, updates });
  } catch (error) {
    const { signal } = exchangeOf(request);
    const mayComeBack = request.headers['idempotency-key'] !== undefined;
    // Who has read the whole answer and leaves before the verdict has had what it asked for, and pays for it.
    if (signal.aborted && handle.created && !mayComeBack && !isWhole)
      edge.exchanges.follow(cancel(edge, request, handle.task));
    throw hasFailed && mayComeBack && error instanceof PouwError ? forGood(error) : error;
  }
}

/** The end of a task that the same request brings again: its name stands for that task and no other. */
function forGood({ code, message, class: kind, details, cause }: PouwError): PouwError {
  const hint = 'The same Idempotency-Key brings the same answer; another one makes a new task.';
  return new PouwError(code, message, { class: kind, hint, details: { ...details, retry: false }, cause });
}

/** Passes updates on and says what has come. */
async function* noting(
  updates: TaskHandle['updates'],
  onUpdate: (update: TaskUpdate) => void,
): AsyncGenerator<TaskUpdate> {
  for await (const update of updates) {
    onUpdate(update);
    yield update;
  }
}

async function cancel({ network, log }: Edge, request: FastifyRequest, task: TaskId): Promise<void> {
  try {
    await network.cancel(task, (exchangeOf(request).signal.reason as Error).message);
  } catch (error) {
    const tooLate = error instanceof PouwError && error.code === 'task_not_cancellable';
    if (!tooLate) log.failed(request, error);
  }
}

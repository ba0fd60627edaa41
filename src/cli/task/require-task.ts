import type { Ledger } from '../../adapters/chain/ledger.ts';
import { PouwError } from '../../core/errors.ts';
import type { TaskId } from '../../core/ids.ts';
import type { ChainAppeal } from '../../ports/chain-appeals.ts';
import type { ChainTaskRecord } from '../../ports/queue-messages.ts';

/** A task that the chain has. @throws PouwError `task_not_found`. */
export async function requireTask(ledger: Ledger, task: TaskId): Promise<ChainTaskRecord> {
  const record = await ledger.task(task);
  if (record !== undefined) return record;
  throw new PouwError('task_not_found', `These contracts have no task ${task}.`, {
    class: 'not-found',
    why: 'It was never submitted on this chain, or its session settles its tasks in batches.',
    param: 'task',
  });
}

/** The appeal of a task that goes on. @throws PouwError `no_open_appeal`. */
export async function requireOpenAppeal(ledger: Ledger, task: TaskId): Promise<ChainAppeal> {
  const appeal = await ledger.appeal(task);
  if (appeal?.state === 'open') return appeal;
  throw new PouwError('no_open_appeal', `There is no open appeal of task ${task}.`, {
    class: 'conflict',
    why: appeal === undefined ? 'Nobody has appealed its outcome.' : `It was ended: ${appeal.state}.`,
    hint: '`pouw task show` says where it stands.',
    param: 'task',
  });
}

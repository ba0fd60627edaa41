import type { TaskId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import type { ChainTaskRecord } from '../../ports/queue-messages.ts';
import { NotYet } from '../../runtime/not-yet.ts';
import type { NodePorts } from '../ports.ts';

/** The chain counts whole seconds, and a deadline has passed in the second after it. */
const secondMs = 1_000;

/** Until when the chain refuses the settlement of a task; undefined where nothing keeps it from it. */
export function heldUntil(record: ChainTaskRecord | undefined): number | undefined {
  if (record?.state !== 'validated') return undefined;
  if (record.finality !== 'appealable' && record.finality !== 'appealed') return undefined;
  return record.phaseBy + secondMs;
}

/**
 * Sees to it that a task is not settled before it can be: while its outcome may be appealed, and while more validators are
 * asked about it, the chain takes no settlement. Waits itself only where that is soon over.
 *
 * @param isRuledHere whether the log has what the chain says of an appeal that has ended.
 * @throws PouwError `outcome_not_final` as {@link NotYet}, `chain_unreachable`; what the signal says where it is aborted.
 */
export async function requireFinal(
  { chain, clock }: Pick<NodePorts, 'chain' | 'clock'>,
  task: TaskId,
  signal: AbortSignal,
  isRuledHere: () => Promise<boolean>,
): Promise<void> {
  const record = await chain.task(task);
  if (record?.finality === 'ruled' && !(await isRuledHere()))
    throw notFinal(task, 'is not in the log yet as it was ruled');
  const until = heldUntil(record);
  const leftMs = until === undefined ? 0 : until - clock.now();
  if (leftMs <= 0) return;
  if (leftMs > limits.appealWaitMsMax) throw notFinal(task, 'may still be appealed');
  await clock.sleep(leftMs, signal);
  // An appeal of the last moment has made it longer.
  await requireFinal({ chain, clock }, task, signal, isRuledHere);
}

function notFinal(task: TaskId, why: string): NotYet {
  return new NotYet('outcome_not_final', `What was found of task ${task} ${why}.`, {
    class: 'unavailable',
    why: "The session's terms give the parties a time to appeal an outcome before it is paid for.",
  });
}

import type { TaskId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import type { ClientAppeal, ContractContext } from './context.ts';
import type { AppealFailed, AppealMade, AppealRequested } from './events.ts';

type AppealEvent = AppealRequested | AppealFailed | AppealMade;

/** The client's appeal of a task's outcome; undefined where it has not asked for one lately. */
export function appealOf({ appeals }: ContractContext, task: TaskId): ClientAppeal | undefined {
  return appeals.find((appeal) => appeal.task === task);
}

/** The appeals after an event of one; of those that are not under way the oldest are let go of. */
export function appealsAfter({ appeals }: ContractContext, event: AppealEvent): Pick<ContractContext, 'appeals'> {
  const { task } = event;
  const others = appeals.filter((appeal) => appeal.task !== task);
  const ended = others.filter(({ state }) => state !== 'requested');
  const oldest = ended.length >= limits.clientEndedKept ? ended[0] : undefined;
  return { appeals: [...others.filter((appeal) => appeal !== oldest), { task, ...stateAfter(event) }] };
}

function stateAfter(event: AppealEvent): Omit<ClientAppeal, 'task'> {
  if (event.type === 'AppealRequested') return { state: 'requested', failure: null };
  if (event.type === 'AppealMade') return { state: 'made', failure: null };
  return { state: 'failed', failure: { code: event.code, reason: event.reason } };
}

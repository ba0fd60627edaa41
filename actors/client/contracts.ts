import type { Event } from '../../src/core/commit.ts';
import type { Effect } from '../../src/core/effect.ts';
import type { Folded, FoldStep } from '../../src/core/fold.ts';
import type { SessionId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import type { ClientContext, ContractContext } from './context.ts';
import { foldContract } from './contract-machine.ts';
import type { ContractEvent } from './events.ts';

/** Whether a session needs nothing more. */
export function hasContractEnded({ value }: Folded<ContractContext>): boolean {
  return value === 'closed' || value === 'failed';
}

/** How many sessions have not ended. */
export function openContractCount(context: ClientContext): number {
  return Object.keys(context.sessions).length - context.ended.length;
}

/** The client's session of an id; undefined where it is not its own. */
export function contractOf(context: ClientContext, session: SessionId): Folded<ContractContext> | undefined {
  return Object.values(context.sessions).find((known) => known.context.session === session);
}

function stepContract(context: ClientContext, event: Event): FoldStep<ContractContext> {
  return foldContract.step(context.sessions[(event as ContractEvent).key] ?? foldContract.initial, event);
}

/** Whether the session's machine takes the event now. */
export function contractTakes(context: ClientContext, event: Event): boolean {
  return stepContract(context, event).handled;
}

/** The effects the session's machine asks for. */
export function contractEffects(context: ClientContext, event: Event): readonly Effect[] {
  return stepContract(context, event).effects;
}

/** The sessions after an event of one of them; the oldest ended ones are let go of. */
export function contractsAfter(context: ClientContext, event: Event): Pick<ClientContext, 'sessions' | 'ended'> {
  const { key } = event as ContractEvent;
  const { state } = stepContract(context, event);
  const sessions: Record<string, Folded<ContractContext>> = { ...context.sessions, [key]: state };
  if (!hasContractEnded(state)) return { sessions, ended: context.ended };
  const ended = [...context.ended, key];
  while (ended.length > limits.clientEndedKept) {
    const oldest = ended.shift();
    if (oldest !== undefined) delete sessions[oldest];
  }
  return { sessions, ended };
}

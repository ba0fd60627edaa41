import type { Seen } from '../../src/core/effect-action.ts';
import type { Address, TaskId } from '../../src/core/ids.ts';
import type { WatchContext } from './context.ts';
import type { DeadlineEnforced, DeadlineReached } from './events.ts';

/** Read the time a block would have now and answer with `CheckDeadline`. */
export type CheckBlockTime = {
  readonly kind: 'checkBlockTime';
  readonly task: TaskId;
  readonly deadline: string;
  readonly at: number;
};
/** Give a silent miner's slot to another, or to nobody. */
export type ReassignOnChain = {
  readonly kind: 'reassignOnChain';
  readonly task: TaskId;
  readonly deadline: string;
  readonly miner: Address;
  readonly replacement: Address | null;
};
/** Decide by the attestations that there are. */
export type ResolveOnChain = { readonly kind: 'resolveOnChain'; readonly task: TaskId; readonly deadline: string };
/** Move on a task whose last deadline has passed. */
export type ExpireOnChain = { readonly kind: 'expireOnChain'; readonly task: TaskId; readonly deadline: string };

/** Name the validators that are missing in the draw of an appeal. */
export type NominateOnChain = { readonly kind: 'nominateOnChain'; readonly task: TaskId; readonly deadline: string };
/** End an appeal that was not decided in time; with `undrawn`, one that never can be, as too few were drawn. */
export type EndAppealOnChain = {
  readonly kind: 'endAppealOnChain';
  readonly task: TaskId;
  readonly deadline: string;
  readonly undrawn: boolean;
};

/** Every effect of an oracle. */
export type OracleEffect =
  | CheckBlockTime
  | ReassignOnChain
  | ResolveOnChain
  | ExpireOnChain
  | NominateOnChain
  | EndAppealOnChain;

/** The chain counts its own time, so it is asked before anybody is accused. */
export function askBlockTime({ event: { task, deadline, at } }: Seen<WatchContext, DeadlineReached>): OracleEffect[] {
  return [{ kind: 'checkBlockTime', task, deadline, at }];
}

/** What enforcing a deadline means on chain. */
export function enforce({ event }: Seen<WatchContext, DeadlineEnforced>): OracleEffect[] {
  const { task, deadline, action, miner, replacement } = event;
  if (action === 'nominate') return [{ kind: 'nominateOnChain', task, deadline }];
  if (action === 'endUndrawn' || action === 'end')
    return [{ kind: 'endAppealOnChain', task, deadline, undrawn: action === 'endUndrawn' }];
  if (action === 'resolve') return [{ kind: 'resolveOnChain', task, deadline }];
  if (action === 'expire' || miner === null) return [{ kind: 'expireOnChain', task, deadline }];
  return [{ kind: 'reassignOnChain', task, deadline, miner, replacement }];
}

import { taskAfter } from '../../actors/session/tasks.ts';
import { isBatched, leafSlots, type VerdictSigned } from '../../actors/task/batched.ts';
import type { TaskContext } from '../../actors/task/context.ts';
import type { TaskCommitted, TaskEvent, TaskPrecommitted } from '../../actors/task/events.ts';
import { batchPrecommitDigest } from '../core/batch/precommit-message.ts';
import { verdictDigest } from '../core/batch/verdict.ts';
import { slotOf, slotSet, verdictLeaf } from '../core/batch/verdict-slots.ts';
import type { Event } from '../core/commit.ts';
import { PouwError } from '../core/errors.ts';
import type { Folded } from '../core/fold.ts';
import { type Address, parseStreamId, type SessionId, type StreamId, type TaskId } from '../core/ids.ts';
import { precommitHash } from '../core/precommit.ts';
import { recoverSigner } from '../core/recover-signer.ts';
import type { Deployment } from '../ports/chain.ts';
import type { StoredCommit } from '../ports/event-store.ts';
import type { FaultList } from './fault.ts';

/** The states of a task in which nothing more of it is signed. */
const ended: ReadonlySet<string> = new Set(['settled', 'refunded', 'failed']);

type Task = Folded<TaskContext>;

/**
 * Checks what nodes have signed of the tasks that batches settle. Of those the chain sees roots alone, so the log is what
 * shows that the owner of a session has made nothing up: each precommit carries its miner's signature and binds the result
 * that is shown later, each verdict carries its validator's. A session that has a fault is checked no further: what follows
 * may speak of what is missing.
 */
export class PartChecker {
  /** Parts that were checked: precommits, results and verdicts. */
  checked = 0;
  readonly #deployment: Deployment | null;
  readonly #faults: FaultList;
  readonly #tasks = new Map<TaskId, Task>();
  readonly #broken = new Set<StreamId>();

  constructor(deployment: Deployment | null, faults: FaultList) {
    this.#deployment = deployment;
    this.#faults = faults;
  }

  /** Takes the next commit; `isFaulty` says that something else is wrong with it. */
  take({ commit, position }: StoredCommit, isFaulty: boolean): void {
    const deployment = this.#deployment;
    // What has not the form of a commit may have no stream either.
    if (deployment === null || this.#broken.has(commit.stream)) return;
    if (isFaulty) {
      this.#broken.add(commit.stream);
      return;
    }
    const { kind, key } = parseStreamId(commit.stream);
    if (kind !== 'session') return;
    for (const event of commit.events) {
      const fault = this.#takeEvent(deployment, key as SessionId, event);
      if (fault === undefined) continue;
      const { stream, version } = commit;
      this.#faults.add('forged_part', `${stream}@${version}: ${fault}.`, { stream, version, position });
      this.#broken.add(stream);
      return;
    }
  }

  #takeEvent(deployment: Deployment, session: SessionId, event: Event): string | undefined {
    const { task, type } = event as { readonly task?: TaskId; readonly type: string };
    if (task === undefined) return undefined;
    const before = this.#tasks.get(task);
    const isNew = type === 'TaskSubmitted' && (event as { readonly batched?: true }).batched === true;
    if (before === undefined && !isNew) return undefined;
    const fault = before === undefined ? undefined : this.#check(deployment, session, before.context, event);
    const after = taskAfter(before, event as unknown as TaskEvent);
    if (ended.has(after.value) || !isBatched(after.context)) this.#tasks.delete(task);
    else this.#tasks.set(task, after);
    return fault;
  }

  /** @returns what is wrong with what an event says of others; undefined where nothing is, or it says nothing. */
  #check(deployment: Deployment, session: SessionId, context: TaskContext, event: Event): string | undefined {
    const told = event as unknown as TaskEvent;
    switch (told.type) {
      case 'TaskPrecommitted':
        this.checked += 1;
        return precommitFault(deployment, context, told);
      case 'TaskCommitted':
        this.checked += 1;
        return resultFault(deployment, session, context, told);
      case 'VerdictSigned':
        this.checked += 1;
        return verdictFault(deployment, session, context, told);
      default:
        return undefined;
    }
  }
}

function precommitFault(
  { chainId, batches }: Deployment,
  { slots }: TaskContext,
  { task, miner, hash, signature }: TaskPrecommitted,
): string | undefined {
  const attempt = slots.find((slot) => slot.miner === miner)?.attempt;
  if (attempt === undefined) return `${miner} has no place in task ${task}`;
  if (signature === undefined) return `the precommit of ${miner} for task ${task} is not signed`;
  const digest = batchPrecommitDigest({ chainId, contract: batches }, { task, step: 0, attempt, precommit: hash });
  return recoverSigner(digest, signature) === miner
    ? undefined
    : `the precommit of ${miner} for task ${task} has another signature than its own`;
}

function resultFault(
  { chainId, batches }: Deployment,
  session: SessionId,
  { slots }: TaskContext,
  { task, miner, resultRoot, salt }: TaskCommitted,
): string | undefined {
  const slot = slots.find((one) => one.miner === miner);
  if (slot === undefined) return `${miner} has no place in task ${task}`;
  const { attempt, hash } = slot;
  const bound = { chainId, queueContract: batches, session, task, step: 0, attempt, miner, resultRoot };
  return salt !== undefined && precommitHash({ ...bound, salt }) === hash
    ? undefined
    : `the result of ${miner} for task ${task} is not the one it is bound to`;
}

function verdictFault(
  { chainId, batchDemands }: Deployment,
  session: SessionId,
  context: TaskContext,
  verdict: VerdictSigned,
): string | undefined {
  const { task, validator, promptTokens, outputTokens, signature } = verdict;
  const poster = context.batch?.poster;
  if (poster === undefined) return `${validator} judges task ${task}, which is in no batch`;
  const slots = leafSlots(context);
  const named = setsOf(slots, verdict);
  if (named === undefined) return `${validator} names miners that have no place in task ${task}`;
  const leaf = verdictLeaf({ session, task, poster, slots });
  const outcome = { ...named, promptTokens, outputTokens };
  const digest = verdictDigest({ chainId, contract: batchDemands }, poster, leaf, outcome);
  return recoverSigner(digest, signature) === validator
    ? undefined
    : `the verdict of ${validator} on task ${task} has another signature than its own`;
}

function setsOf(
  slots: ReturnType<typeof leafSlots>,
  { winner, honest }: { readonly winner: Address; readonly honest: readonly Address[] },
): { readonly winner: number; readonly honest: number } | undefined {
  try {
    return { winner: slotOf(slots, winner), honest: slotSet(slots, honest) };
  } catch (error) {
    if (error instanceof PouwError && error.code === 'verdict_of_strangers') return undefined;
    throw error;
  }
}

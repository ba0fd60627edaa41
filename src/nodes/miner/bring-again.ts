import type { JobContext, MinerContext } from '../../../actors/miner/context.ts';
import type { ChainFact } from '../../core/chain-fact.ts';
import { cidToDigest } from '../../core/cid.ts';
import { errorCode } from '../../core/errors.ts';
import { type EffectId, streamId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { precommitHash } from '../../core/precommit.ts';
import type { ChainCall } from '../../ports/chain.ts';
import type { ChainTaskRecord } from '../../ports/queue-messages.ts';
import type { NodeBase } from '../node-base.ts';

type Taken = Extract<ChainFact, { type: 'TaskPrecommitted' | 'TaskRevealed' }>;

/** What bringing something again stands on. */
export interface BringAgainOptions {
  readonly base: Pick<NodeBase, 'ports' | 'identity' | 'send' | 'stopping'>;
  readonly miner: () => MinerContext;
}

/**
 * A reorg took back a part of this miner's that a router may have carried: its transaction is in the router's journal, and
 * the router may be dead. Should nobody bring it again in time, the miner does: without its reveal it would be slashed.
 */
export async function bringAgain({ base, miner }: BringAgainOptions, fact: ChainFact): Promise<void> {
  if (!isOwn(fact, base)) return;
  const { clock, chain, log } = base.ports;
  for (let look = 0; look < limits.carryRestoreLooksMax; look += 1) {
    await clock.sleep(limits.carryRestoreMs, base.stopping);
    const job = Object.values(miner().jobs).find(({ context }) => context.task === fact.task)?.context;
    const record = await chain.task(fact.task);
    if (job === undefined || record === undefined) return;
    const standing = standingOf(record, job, fact.type);
    if (standing === 'there' || standing === 'gone') return;
    const call = standing === 'wanted' ? callOf(job, fact.type, base) : undefined;
    if (call === undefined) continue;
    log.warn('a part that a reorg took back is brought again', { task: fact.task, call: call.call });
    const { txHash } = fact.place;
    const id = `${streamId('miner', job.miner)}:again-${call.call}:${txHash.slice(2, 34)}` as EffectId;
    try {
      await base.send(call, id);
      return;
    } catch (error) {
      // Somebody was quicker, or it is not its turn yet: the next look tells.
      if (errorCode(error) !== 'chain_reverted') throw error;
    }
  }
}

function isOwn(fact: ChainFact, { identity }: BringAgainOptions['base']): fact is Taken {
  return (fact.type === 'TaskPrecommitted' || fact.type === 'TaskRevealed') && fact.miner === identity.address;
}

function standingOf(
  record: ChainTaskRecord,
  job: JobContext,
  type: Taken['type'],
): 'there' | 'wanted' | 'early' | 'gone' {
  const slot = record.slots.find(({ miner, attempt }) => miner === job.miner && attempt === job.attempt);
  const isReveal = type === 'TaskRevealed';
  // Not assigned yet, or over.
  if (slot === undefined) return record.state === 'queued' ? 'early' : 'gone';
  if (slot.state === 'revealed' || (slot.state === 'precommitted' && !isReveal)) return 'there';
  if (slot.state === 'dropped') return 'gone';
  if (!isReveal) return 'wanted';
  return record.state === 'precommitted' && slot.state === 'precommitted' ? 'wanted' : 'early';
}

function callOf(job: JobContext, type: Taken['type'], { ports }: BringAgainOptions['base']): ChainCall | undefined {
  const { session, task, step, attempt, miner, resultRoot, salt, result } = job;
  if (resultRoot === null || salt === null || result === null) return undefined;
  if (type === 'TaskRevealed') return { call: 'reveal', task, resultRoot, salt, resultDigest: cidToDigest(result) };
  const { chainId, queue: queueContract } = ports.chain.deployment;
  const of = { session, task, step, attempt, miner, resultRoot, salt };
  return { call: 'precommit', task, hash: precommitHash({ chainId, queueContract, ...of }) };
}

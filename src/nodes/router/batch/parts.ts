import { type BatchSlot, isBatched, leafSlots } from '../../../../actors/task/batched.ts';
import type { TaskContext } from '../../../../actors/task/context.ts';
import type { TaskFact } from '../../../../actors/task/decide.ts';
import { batchPrecommitDigest } from '../../../core/batch/precommit-message.ts';
import { verdictDigest } from '../../../core/batch/verdict.ts';
import { PouwError } from '../../../core/errors.ts';
import type { Folded } from '../../../core/fold.ts';
import type { Address } from '../../../core/ids.ts';
import { precommitHash } from '../../../core/precommit.ts';
import type { AttestationPart, CarryBody, PrecommitPart, RevealPart } from '../../../messages/carry.ts';
import { verdictLeaf } from '../../../core/batch/verdict-slots.ts';
import type { SessionRuntime } from '../session-effects.ts';
import { scoresOf } from '../session-facts.ts';
import { taskNow } from './task-effects.ts';

/**
 * Takes what a node of a batched session has signed or shows, and makes a fact of it. Resolves where the session has it,
 * now or from before.
 *
 * @throws PouwError `not_owner`, `part_not_expected`, `part_not_signed`, `part_wrong_reveal`, and what the session refuses.
 */
export async function takePart(runtime: SessionRuntime, from: Address, part: CarryBody, cause: string): Promise<void> {
  const task = await taskNow(runtime, part.session, part.task);
  if (task === undefined || !isBatched(task.context) || part.step !== 0) throw notExpected(from, part);
  switch (part.is) {
    case 'precommit':
      return takePrecommit(runtime, { from, part, task, cause });
    case 'reveal':
      return takeReveal(runtime, { from, part, task, cause });
    case 'attestation':
      return takeVerdict(runtime, { from, part, task, cause });
  }
}

interface Taking<Part extends CarryBody> {
  readonly from: Address;
  readonly part: Part;
  readonly task: Folded<TaskContext>;
  readonly cause: string;
}

async function takePrecommit(runtime: SessionRuntime, { from, part, task, cause }: Taking<PrecommitPart>) {
  const { session, attempt, precommit: hash, signature } = part;
  const slot = task.context.slots.find((one) => one.miner === from && one.attempt === attempt);
  if (slot?.hash === hash) return;
  // The word that the miner has its job may be on its way still.
  const isAwaited = slot?.phase === 'acked' || slot?.phase === 'assigned';
  if (slot === undefined || !isAwaited || !['assigned', 'executing'].includes(task.value))
    throw notExpected(from, part);
  const { chain, clock } = runtime.base.ports;
  const { chainId, batches } = chain.deployment;
  const digest = batchPrecommitDigest(
    { chainId, contract: batches },
    { task: part.task, step: 0, attempt, precommit: hash },
  );
  if ((await chain.signerOf(digest, signature)) !== from) throw notSigned(from, part);
  const of = { session, task: part.task, miner: from, place: null } as const;
  const facts: TaskFact[] = [{ type: 'TaskPrecommitted', ...of, hash }];
  if (slot.phase === 'assigned') facts.unshift({ type: 'TaskAcked', ...of, precommitBy: clock.now() });
  for (const fact of facts) await runtime.dispatch(session, { type: 'SeeTaskFact', fact, signature }, cause);
  await requireTaken(runtime, from, part, (slots) => slots.some((one) => one.miner === from && one.hash === hash));
}

async function takeReveal(runtime: SessionRuntime, { from, part, task, cause }: Taking<RevealPart>): Promise<void> {
  const { session, attempt, resultRoot, salt, resultDigest } = part;
  const slot = task.context.slots.find((one) => one.miner === from && one.attempt === attempt);
  if (slot?.resultRoot === resultRoot) return;
  if (slot?.phase !== 'precommitted' || task.value !== 'precommitted') throw notExpected(from, part);
  const { chainId, batches } = runtime.base.ports.chain.deployment;
  const bound = { session, task: part.task, step: 0, attempt, miner: from, resultRoot, salt };
  if (precommitHash({ chainId, queueContract: batches, ...bound }) !== slot.hash) {
    throw new PouwError('part_wrong_reveal', `${from} shows another result of ${part.task} than it is bound to.`);
  }
  const streamed = runtime.feeds.compare(part.task, from, resultRoot);
  const of = { session, task: part.task, miner: from, place: null } as const;
  const fact: TaskFact = { type: 'TaskRevealed', ...of, resultRoot, resultDigest };
  await runtime.dispatch(session, { type: 'SeeTaskFact', fact, streamed, salt }, cause);
  await requireTaken(runtime, from, part, (_, context) =>
    context.slots.some((one) => one.miner === from && one.resultRoot === resultRoot),
  );
}

async function takeVerdict(runtime: SessionRuntime, { from, part, task, cause }: Taking<AttestationPart>) {
  const { session, outcome, reportDigest, signature } = part;
  const { context, value } = task;
  // A validator that comes too late has done its part all the same.
  if (['validated', 'settled', 'failed', 'refunded'].includes(value)) return;
  const { batch } = context;
  if (value !== 'committed' || batch === undefined) throw notExpected(from, part);
  const { chain, content } = runtime.base.ports;
  const { chainId, batchDemands } = chain.deployment;
  const slots = leafSlots(context);
  const leaf = verdictLeaf({ session, task: part.task, poster: batch.poster, slots });
  const digest = verdictDigest({ chainId, contract: batchDemands }, batch.poster, leaf, outcome);
  if ((await chain.signerOf(digest, signature)) !== from) throw notSigned(from, part);
  const winner = slots[outcome.winner]?.miner;
  const honest = slots.filter((_, slot) => (outcome.honest & (1 << slot)) !== 0).map(({ miner }) => miner);
  if (winner === undefined || outcome.honest >= 2 ** slots.length) throw notExpected(from, part);
  const { promptTokens, outputTokens } = outcome;
  const found = { winner, honest, promptTokens, outputTokens, reportDigest, signature };
  const scores = await scoresOf(content, reportDigest, runtime.base.stopping);
  await runtime.dispatch(session, { type: 'SignVerdict', task: part.task, validator: from, ...found, scores }, cause);
}

/** What the session has not taken is brought again: its sender would else believe that its part is done. */
async function requireTaken(
  runtime: SessionRuntime,
  from: Address,
  part: CarryBody,
  isThere: (slots: readonly BatchSlot[], context: TaskContext) => boolean,
): Promise<void> {
  const task = await taskNow(runtime, part.session, part.task);
  if (task === undefined || !isThere(leafSlots(task.context), task.context)) throw notExpected(from, part);
}

function notExpected(from: Address, { is, task }: CarryBody): PouwError {
  return new PouwError('part_not_expected', `No ${is} of ${from} is awaited for task ${task} now.`, {
    class: 'conflict',
    why: 'It has no such part in the task, or it is not its turn.',
  });
}

function notSigned(from: Address, { is, task }: CarryBody): PouwError {
  return new PouwError('part_not_signed', `The ${is} for task ${task} is not signed by ${from}.`, {
    class: 'unauthorised',
  });
}

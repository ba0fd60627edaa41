import type { PrecommitOnChain, RevealOnChain } from '../../actors/miner/effects.ts';
import type { AttestOnChain } from '../../actors/validator/effects.ts';
import { batchPrecommitDigest } from '../core/batch/precommit-message.ts';
import { verdictDigest } from '../core/batch/verdict.ts';
import { slotOf, slotSet, verdictLeaf } from '../core/batch/verdict-slots.ts';
import { assert, present } from '../core/assert.ts';
import { errorCode } from '../core/errors.ts';
import type { Address, EffectId } from '../core/ids.ts';
import { precommitHash } from '../core/precommit.ts';
import { doneReply } from '../messages/bodies.ts';
import type { CarryBody } from '../messages/carry.ts';
import type { NodeBase } from './node-base.ts';

/** Why another router than the one that was asked may take it. */
const elsewhere: ReadonlySet<string> = new Set(['not_owner', 'no_responders', 'request_timeout']);

/** Hands a part of a task to the router that owns its session: first to the one that is known, then to the others. */
export async function tellOwner(base: NodeBase, first: Address, part: CarryBody, id: EffectId): Promise<void> {
  const others = base.ports.directory.active('router').flatMap(({ node }) => (node === first ? [] : [node]));
  let refusal: unknown;
  for (const router of [first, ...others]) {
    try {
      await base.ask('router', router, 'carry', `${id}:${router}`, part, doneReply);
      return;
    } catch (error) {
      refusal ??= error;
      if (!elsewhere.has(errorCode(error))) throw error;
    }
  }
  throw refusal;
}

/** A miner's precommit, signed for a batch. */
export async function signedPrecommit(base: NodeBase, effect: PrecommitOnChain): Promise<CarryBody> {
  const { chainId, batches } = base.ports.chain.deployment;
  const { kind: _, by: __, session, task, step, attempt, ...bound } = effect;
  const precommit = precommitHash({ chainId, queueContract: batches, session, task, step, attempt, ...bound });
  const digest = batchPrecommitDigest({ chainId, contract: batches }, { task, step, attempt, precommit });
  const signature = await base.ports.chain.signDigest(base.identity.address, digest);
  return { is: 'precommit', session, task, step, attempt, precommit, signature };
}

/** A miner's result: its precommit, which is bound on chain by now, is the proof. */
export function shownResult({ session, task, attempt, resultRoot, salt, resultDigest }: RevealOnChain): CarryBody {
  const of = { session: present(session, 'the session of a batched job'), task, step: 0, attempt };
  return { is: 'reveal', ...of, resultRoot, salt, resultDigest };
}

/** A validator's verdict, signed for a batch. */
export async function signedVerdict(base: NodeBase, effect: AttestOnChain): Promise<CarryBody> {
  const { task, batch, session, winner, honest, promptTokens, outputTokens, reportDigest } = effect;
  assert(batch !== undefined && session !== undefined, 'a verdict for a batch names it');
  const { chainId, batchDemands } = base.ports.chain.deployment;
  const { slots, poster } = batch;
  const outcome = { winner: slotOf(slots, winner), honest: slotSet(slots, honest), promptTokens, outputTokens };
  const leaf = verdictLeaf({ session, task, poster, slots });
  const digest = verdictDigest({ chainId, contract: batchDemands }, poster, leaf, outcome);
  const signature = await base.ports.chain.signDigest(base.identity.address, digest);
  return { is: 'attestation', session, task, step: 0, outcome, reportDigest, signature };
}

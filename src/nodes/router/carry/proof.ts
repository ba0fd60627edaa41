import { PouwError } from '../../../core/errors.ts';
import type { Address } from '../../../core/ids.ts';
import { precommitHash } from '../../../core/precommit.ts';
import type { CarryBody } from '../../../messages/carry.ts';
import type { Chain } from '../../../ports/chain.ts';
import type { ChainTaskRecord, QueueMessage } from '../../../ports/queue-messages.ts';
import { isSound } from './standing.ts';

/**
 * Proves a part as the contract will: one that it refuses would keep all the others from the chain.
 *
 * @throws PouwError `carry_wrong_signature`, `carry_wrong_reveal`, `carry_wrong_outcome`.
 */
export async function requireProof(
  chain: Pick<Chain, 'deployment' | 'isSigned'>,
  record: ChainTaskRecord,
  { from, part, place }: { readonly from: Address; readonly part: CarryBody; readonly place: number },
): Promise<void> {
  const { task, step } = part;
  if (part.is === 'reveal') {
    const { chainId, queue } = chain.deployment;
    const { session, attempt, resultRoot, salt } = part;
    const of = { session, task, step, attempt, miner: from, resultRoot, salt };
    if (precommitHash({ chainId, queueContract: queue, ...of }) === record.slots[place]?.precommit) return;
    throw new PouwError('carry_wrong_reveal', `${from} shows another result of ${task} than it is bound to.`);
  }
  if (part.is === 'attestation' && !isSound(record, part.outcome))
    throw new PouwError('carry_wrong_outcome', `The contract takes no such outcome of ${task}.`);
  const message: QueueMessage =
    part.is === 'precommit'
      ? { is: 'Precommit', task, step, attempt: part.attempt, precommit: part.precommit }
      : { is: 'Attestation', task, step, outcome: part.outcome, reportDigest: part.reportDigest };
  if (await chain.isSigned(from, message, part.signature)) return;
  throw new PouwError('carry_wrong_signature', `The ${part.is} of ${task} does not carry the signature of ${from}.`, {
    class: 'unauthorised',
  });
}

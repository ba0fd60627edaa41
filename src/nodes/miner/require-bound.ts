import type { JobContext } from '../../../actors/miner/context.ts';
import { leafHash, precommitValues } from '../../core/batch/leaves.ts';
import { treeHeight } from '../../core/batch/tree.ts';
import { PouwError } from '../../core/errors.ts';
import { sessionNumber } from '../../core/ids.ts';
import { verifyMerkleProof } from '../../core/merkle.ts';
import { precommitHash } from '../../core/precommit.ts';
import type { ShowBody } from '../../messages/batches.ts';
import type { Chain } from '../../ports/chain.ts';

/**
 * Sees to it that a batch on chain binds a miner's precommit, with its own name in it: only then may the result be shown, for
 * whoever copied it from then on comes too late.
 *
 * @throws PouwError `precommit_not_bound`.
 */
export async function requireBound(chain: Chain, job: JobContext, shown: ShowBody): Promise<void> {
  const { chainId, batches } = chain.deployment;
  const { session, task, step, attempt, miner, resultRoot, salt } = job;
  if (resultRoot === null || salt === null || session !== shown.session) throw notBound(shown);
  const bound = { chainId, queueContract: batches, session, task, step, attempt, miner, resultRoot, salt };
  const own = shown.slots.find((slot) => slot.miner === miner && slot.attempt === attempt);
  if (own?.hash !== precommitHash(bound)) throw notBound(shown);
  const leaf = precommitValues({
    position: shown.position,
    session: Number(sessionNumber(session)),
    task,
    step,
    maxPriceWei: shown.maxPriceWei,
    miners: shown.slots.map((slot) => slot.miner),
    attempts: shown.slots.map((slot) => slot.attempt),
    precommits: shown.slots.map(({ hash }) => hash),
    validators: shown.validators,
  });
  const facts = await chain.facts(shown.block, shown.block);
  const fact = facts.find((one) => one.type === 'BatchPrecommitted' && one.batch === shown.batch);
  if (fact?.type !== 'BatchPrecommitted') throw notBound(shown);
  const { tasks, precommitRoot } = fact.header;
  const isWhole = shown.proof.length === treeHeight(tasks);
  if (!isWhole || !verifyMerkleProof(precommitRoot, leafHash(leaf), shown.proof)) throw notBound(shown);
}

function notBound({ task, batch }: ShowBody): PouwError {
  return new PouwError('precommit_not_bound', `Batch ${batch} does not bind what was precommitted for ${task}.`, {
    class: 'conflict',
    why: 'The proof is not that of a root on chain, or another precommit is in it.',
  });
}

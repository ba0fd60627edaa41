import type { AssignOnChain } from '../../../../actors/task/effects.ts';
import type { TaskContext } from '../../../../actors/task/context.ts';
import { errorCode, PouwError } from '../../../core/errors.ts';
import type { Address, EffectId, SessionId } from '../../../core/ids.ts';
import { limits } from '../../../core/limits.ts';
import { acceptReply } from '../../../messages/carry.ts';
import type { CompactSignature } from '../../../ports/queue-messages.ts';
import type { NodeBase } from '../../node-base.ts';

/**
 * Asks the miners that a task is about to be given to whether they accept it, for a short time. The answers are in the
 * order of the draw; who does not answer in time acknowledges by itself.
 *
 * @returns none where nobody has accepted.
 */
export async function askAcceptances(
  base: Pick<NodeBase, 'ports' | 'ask' | 'drop' | 'stopping'>,
  session: SessionId,
  { ranking, redundancy, model, step = 0 }: TaskContext,
  { task, beaconBlock }: AssignOnChain,
  id: EffectId,
): Promise<readonly (CompactSignature | null)[]> {
  const attempt = 0;
  const body = { session, task, step, attempt, model, beaconBlock };
  const ask = async (miner: Address): Promise<CompactSignature | null> => {
    const { signature } = await base.ask('miner', miner, 'accept', `accept:${id}`, body, acceptReply);
    const message = { is: 'Acceptance', task, step, attempt, beaconBlock } as const;
    if (await base.ports.chain.isSigned(miner, message, signature)) return signature;
    throw new PouwError('carry_wrong_signature', `The acceptance of ${task} is not signed by ${miner}.`, {
      class: 'unauthorised',
    });
  };
  const over = new AbortController();
  const late = base.ports.clock.sleep(limits.acceptanceMsMax, AbortSignal.any([over.signal, base.stopping])).then(
    () => null,
    () => null,
  );
  const asked = ranking.slice(0, redundancy).map((miner) =>
    ask(miner).catch((error: unknown) => {
      if (errorCode(error) === 'carry_wrong_signature') base.drop('carry_wrong_signature', 'accept', error);
      base.ports.log.debug('a miner has not accepted', { task, miner, code: errorCode(error) });
      return null;
    }),
  );
  const acceptances = await Promise.all(asked.map((answer) => Promise.race([answer, late])));
  over.abort();
  return acceptances.some((one) => one !== null) ? acceptances : [];
}

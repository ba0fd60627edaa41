import { PouwError } from '../../core/errors.ts';
import type { ChainFact } from '../../ports/chain.ts';
import type { Sent } from './wallet.ts';

type FactOf<Type extends ChainFact['type']> = Extract<ChainFact, { readonly type: Type }>;

/**
 * Refuses a request id under which an earlier run did something else: nothing was done now.
 *
 * @param isSame whether a fact of that run is what is asked for now.
 * @throws PouwError `request_id_reused`.
 */
export function requireSameRequest<Type extends ChainFact['type']>(
  { receipt, before }: Sent,
  type: Type,
  isSame: (fact: FactOf<Type>) => boolean,
): void {
  const done = receipt.facts.find((fact): fact is FactOf<Type> => fact.type === type);
  if (!before || done === undefined || isSame(done)) return;
  throw new PouwError('request_id_reused', 'This request id was used for another request.', {
    class: 'invalid',
    why: `The transaction ${receipt.txHash} did something else under it. Nothing was done now.`,
    hint: 'Use another --request-id for what is new.',
    param: 'request-id',
    details: { txHash: receipt.txHash },
  });
}

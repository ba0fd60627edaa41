import type { SignedAllowance } from '../../core/allowance.ts';
import { type ErrorClass, PouwError } from '../../core/errors.ts';
import type { Address, SessionId } from '../../core/ids.ts';
import type { Chain } from '../../ports/chain.ts';

/** A session as far as an allowance is about it. */
export interface AllowingSession {
  readonly session: SessionId;
  readonly client: Address | null;
}

const refusals: Readonly<Record<string, { code: string; class: ErrorClass; message: string; hint: string }>> = {
  AllowanceExpired: {
    code: 'allowance_expired',
    class: 'payment',
    message: 'The allowance is not good any more.',
    hint: 'Have the session’s owner sign another one.',
  },
  NonceUsed: {
    code: 'allowance_used',
    class: 'invalid',
    message: 'The allowance was brought before, or its owner has revoked it.',
    hint: 'Look at what is left (pouw session show), or have the owner sign another one.',
  },
  InvalidAllowance: {
    code: 'allowance_not_signed',
    class: 'forbidden',
    message: 'The allowance does not bear its owner’s signature for this chain and these contracts.',
    hint: 'Bring it as it was signed, to the chain it was signed for.',
  },
  EmptyAllowance: {
    code: 'allowance_empty',
    class: 'invalid',
    message: 'The allowance is of nothing.',
    hint: 'Have the owner sign one above nothing, in all and for a task.',
  },
};

/**
 * Whether an allowance would be worth something on chain, asked before a transaction is spent.
 *
 * @throws PouwError `allowance_for_another_session`, `allowance_not_of_owner`, `allowance_expired`, `allowance_used`,
 *   `allowance_not_signed`, `allowance_empty`, `chain_reverted`.
 */
export async function checkAllowance(
  chain: Pick<Chain, 'allowanceRefusal'>,
  { session, client }: AllowingSession,
  signed: SignedAllowance,
): Promise<void> {
  const { allowance } = signed;
  requireFor(session, allowance);
  if (allowance.owner !== client) {
    throw new PouwError('allowance_not_of_owner', `${allowance.owner} does not own the session ${session}.`, {
      class: 'forbidden',
      why: 'What others sign, and an earlier owner has signed, is worth nothing.',
      hint: 'Have its owner sign one.',
      param: 'owner',
    });
  }
  const reason = await chain.allowanceRefusal(signed);
  if (reason === undefined) return;
  const known = refusals[reason];
  if (known === undefined) {
    throw new PouwError('chain_reverted', `The contract would refuse the allowance: ${reason}.`, {
      class: 'conflict',
      details: { reason },
    });
  }
  throw new PouwError(known.code, known.message, { class: known.class, hint: known.hint });
}

/** @throws PouwError `allowance_for_another_session`. */
export function requireFor(session: SessionId, allowance: SignedAllowance['allowance']): void {
  if (allowance.session === session) return;
  throw new PouwError('allowance_for_another_session', `The allowance is for ${allowance.session}.`, {
    class: 'invalid',
    hint: `Bring it there, or have one signed for ${session}.`,
    param: 'session',
  });
}

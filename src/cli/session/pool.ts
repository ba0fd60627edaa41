import type { Ledger, SessionOnLedger } from '../../adapters/chain/ledger.ts';
import { PouwError } from '../../core/errors.ts';
import type { Address, SessionId } from '../../core/ids.ts';
import { lessWei, type Wei } from '../../core/wei.ts';
import { cor } from '../wallet/report.ts';

/** Whose session it is that the pool of `pouw stake-to-use` pays for; undefined where its owner pays. */
export async function poolUserOf(
  ledger: Pick<Ledger, 'deployment' | 'poolUser'>,
  { session, client }: Pick<SessionOnLedger, 'session' | 'client'>,
): Promise<Address | undefined> {
  return client === ledger.deployment.stakeToUse ? ledger.poolUser(session) : undefined;
}

/** The sessions that the pool pays for an account. */
export async function pooledSessions(
  ledger: Pick<Ledger, 'deployment' | 'poolUser' | 'sessions'>,
  account: Address,
): Promise<readonly SessionOnLedger[]> {
  const pooled = await ledger.sessions(ledger.deployment.stakeToUse);
  const users = await Promise.all(pooled.map(({ session }) => ledger.poolUser(session)));
  return pooled.filter((_, place) => users[place] === account);
}

/** @throws PouwError `session_of_another` where the pool pays for another account's session. */
export function requireUser(user: Address, account: Address, session: SessionId): void {
  if (user === account) return;
  throw new PouwError('session_of_another', `The pool pays for the session ${session} of ${user}, not of ${account}.`, {
    class: 'forbidden',
    hint: 'Name that account with --key, --role and --index.',
    param: 'session',
  });
}

/**
 * What the contract would refuse is said before anything is sent.
 *
 * @throws PouwError `not_staked`, `use_exceeded`, `pool_exhausted`.
 */
export async function requireUse(ledger: Pick<Ledger, 'useStake' | 'usePool'>, account: Address, amountWei: Wei) {
  const { amountWei: stakeWei, usableWei, unlocksAt } = await ledger.useStake(account);
  if (stakeWei === '0' || unlocksAt !== undefined) throw notStaked(account);
  if (lessWei(usableWei, amountWei)) {
    throw new PouwError(
      'use_exceeded',
      `${account} may use ${cor(usableWei)} of the pool now, not ${cor(amountWei)}.`,
      {
        class: 'payment',
        why: 'What a stake may use grows over a day, to 5 ten-thousandths of it.',
        hint: 'Wait, take less, or stake more (pouw stake-to-use show).',
        details: { usableWei, requiredWei: amountWei },
      },
    );
  }
  const { poolWei } = await ledger.usePool();
  if (!lessWei(poolWei, amountWei)) return;
  throw new PouwError('pool_exhausted', `The pool has ${cor(poolWei)}, not ${cor(amountWei)}.`, {
    class: 'payment',
    hint: 'Take less, or have somebody fill it (pouw stake-to-use fund).',
    details: { poolWei, requiredWei: amountWei },
  });
}

/** The refusal of an account without a stake for its use. */
export function notStaked(account: Address): PouwError {
  return new PouwError('not_staked', `${account} has staked nothing for its use, or has asked for it back.`, {
    class: 'payment',
    hint: 'pouw stake-to-use stake AMOUNT.',
  });
}

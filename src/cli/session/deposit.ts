import type { SessionId } from '../../core/ids.ts';
import { lessWei, type Wei } from '../../core/wei.ts';
import { accountOf, type AccountOptions } from '../wallet/account.ts';
import { findPlace, type PlaceOptions } from '../wallet/place.ts';
import { cor, doneBefore, report, transactionFacts, transactionJson } from '../wallet/report.ts';
import { requestOf, withWallet } from '../wallet/wallet.ts';
import { requireSession } from './require-session.ts';

/** How `pouw session deposit` is done. */
export interface DepositOptions extends PlaceOptions, AccountOptions {
  readonly requestId?: string;
  readonly json?: boolean;
}

/** How long a permit is good: a transaction that waits longer is made anew with another one. */
const permitMs = 3_600_000;

/** Deposits in a session. */
export async function depositInSession(session: SessionId, amountWei: Wei, options: DepositOptions): Promise<void> {
  const place = await findPlace(options);
  await withWallet(place, accountOf(options, 'client'), async (wallet) => {
    const effect = wallet.effect('session.deposit', requestOf(options.requestId, session, amountWei));
    const isDone = (await wallet.ledger.effect(wallet.address, effect)) !== undefined;
    await requireSession(wallet.ledger, session, isDone ? undefined : 'open');
    if (!isDone) await wallet.requireCor(amountWei);
    wallet.step(0, 1, 'deposit');
    // What the contract may take already, for somebody else with this key, is left alone.
    const isAllowed = !lessWei(await wallet.ledger.allowance(wallet.address, 'sessions'), amountWei);
    const permitBy = (await wallet.ledger.block()).at + permitMs;
    const sent = await wallet.send(
      isAllowed ? { call: 'deposit', session, amountWei } : { call: 'depositWithPermit', session, amountWei, permitBy },
      effect,
    );
    const { balanceWei } = await requireSession(wallet.ledger, session, undefined);
    const value = { session, from: wallet.address, amountWei, balanceWei, ...transactionJson(sent), effect };
    await report(options.json, value, sent.before ? doneBefore : `${cor(amountWei)} are in the session.`, {
      session,
      balance: cor(balanceWei),
      ...transactionFacts(sent),
    });
  });
}

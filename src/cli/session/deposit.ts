import type { SessionId } from '../../core/ids.ts';
import { lessWei, type Wei } from '../../core/wei.ts';
import type { ChainCall } from '../../ports/chain.ts';
import { accountOf, type AccountOptions } from '../wallet/account.ts';
import { findPlace, type PlaceOptions } from '../wallet/place.ts';
import { cor, doneBefore, report, transactionFacts, transactionJson } from '../wallet/report.ts';
import { requireSameRequest } from '../wallet/same-request.ts';
import { requestOf, type Wallet, withWallet } from '../wallet/wallet.ts';
import { poolUserOf, requireUse, requireUser } from './pool.ts';
import { liveStates, requireSession } from './require-session.ts';

/** How `pouw session deposit` is done. */
export interface DepositOptions extends PlaceOptions, AccountOptions {
  readonly requestId?: string;
  readonly json?: boolean;
}

/** How long a permit is good: a transaction that waits longer is made anew with another one. */
const permitMs = 3_600_000;

/** Deposits in a session. @throws PouwError `request_id_reused`, and what the account or the session does not allow. */
export async function depositInSession(session: SessionId, amountWei: Wei, options: DepositOptions): Promise<void> {
  const place = await findPlace(options);
  await withWallet(place, accountOf(options, 'client'), async (wallet) => {
    const effect = wallet.effect('session.deposit', requestOf(options.requestId, session, amountWei));
    const isDone = (await wallet.ledger.effect(wallet.address, effect)) !== undefined;
    const found = await requireSession(wallet.ledger, session, isDone ? undefined : liveStates);
    const user = await poolUserOf(wallet.ledger, found);
    if (user !== undefined) requireUser(user, wallet.address, session);
    if (!isDone && user === undefined) await wallet.requireCor(amountWei);
    if (!isDone && user !== undefined) await requireUse(wallet.ledger, wallet.address, amountWei);
    wallet.step(0, 1, 'deposit');
    // A deposit of the account's own would be the pool's in the end.
    const call = user === undefined ? await depositCall(wallet, session, amountWei) : topUp(session, amountWei);
    const sent = await wallet.send(call, effect);
    requireSameRequest(sent, 'SessionDeposited', (done) => done.session === session && done.amountWei === amountWei);
    const { balanceWei } = await requireSession(wallet.ledger, session, undefined);
    const value = { session, from: wallet.address, amountWei, balanceWei, ...transactionJson(sent), effect };
    await report(options.json, value, sent.before ? doneBefore : `${cor(amountWei)} are in the session.`, {
      session,
      balance: cor(balanceWei),
      ...transactionFacts(sent),
    });
  });
}

async function depositCall({ ledger, address }: Wallet, session: SessionId, amountWei: Wei): Promise<ChainCall> {
  // What the contract may take already, for somebody else with this key, is left alone.
  const isAllowed = !lessWei(await ledger.allowance(address, 'sessions'), amountWei);
  const permitBy = (await ledger.block()).at + permitMs;
  return isAllowed
    ? { call: 'deposit', session, amountWei }
    : { call: 'depositWithPermit', session, amountWei, permitBy };
}

function topUp(session: SessionId, amountWei: Wei): ChainCall {
  return { call: 'topUpPooled', session, amountWei };
}

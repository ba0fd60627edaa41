import type { SessionId } from '../../core/ids.ts';
import { accountOf, type AccountOptions } from '../wallet/account.ts';
import { findPlace, type PlaceOptions } from '../wallet/place.ts';
import { cor, report, transactionFacts, transactionJson } from '../wallet/report.ts';
import { withWallet } from '../wallet/wallet.ts';
import { poolUserOf } from './pool.ts';
import { requireSession } from './require-session.ts';

/** Closes a session. */
export async function closeSession(
  id: SessionId,
  options: PlaceOptions & AccountOptions & { readonly json?: boolean },
): Promise<void> {
  const place = await findPlace(options);
  await withWallet(place, accountOf(options, 'client'), async (wallet) => {
    const found = await requireSession(wallet.ledger, id, undefined);
    const { state, escrowedWei } = found;
    // Who may close a session of the pool is the contract's to say: anyone, once its user has no stake.
    const isPooled = (await poolUserOf(wallet.ledger, found)) !== undefined;
    if (state === 'closed' || state === 'draining') {
      const words = { closed: 'It is closed already.', draining: 'It closes with the end of its last task.' };
      return report(options.json, { session: id, state, before: true }, words[state], {
        session: id,
        escrowed: cor(escrowedWei),
      });
    }
    wallet.step(0, 1, 'close');
    const sent = await wallet.send(
      { call: isPooled ? 'closePooled' : 'closeSession', session: id },
      wallet.effect('session.close', id),
    );
    const closed = sent.receipt.facts.find((fact) => fact.type === 'SessionClosed');
    const refundedWei = closed?.type === 'SessionClosed' ? closed.refundedWei : undefined;
    const now = refundedWei === undefined ? 'draining' : 'closed';
    const value = { session: id, state: now, refundedWei: refundedWei ?? null, ...transactionJson(sent) };
    const sentence =
      refundedWei === undefined ? 'The session closes with the end of its last task.' : 'The session is closed.';
    await report(options.json, value, sentence, {
      session: id,
      [isPooled ? 'back in the pool' : 'returned']: refundedWei === undefined ? undefined : cor(refundedWei),
      ...transactionFacts(sent),
    });
  });
}

import { PouwError } from '../../core/errors.ts';
import type { Address, SessionId } from '../../core/ids.ts';
import { accountOf, type AccountOptions } from '../wallet/account.ts';
import { findPlace, type PlaceOptions } from '../wallet/place.ts';
import { cor, report, transactionFacts, transactionJson } from '../wallet/report.ts';
import { withWallet } from '../wallet/wallet.ts';
import { requireSession } from './require-session.ts';

/** What `pouw session revoke` was asked for. */
export interface RevokeOptions extends PlaceOptions, AccountOptions {
  readonly router?: Address;
  readonly nonce?: string;
  readonly json?: boolean;
}

/** Takes back what a router has left, or makes an allowance worthless that was only signed. */
export async function revokeAllowance(session: SessionId, options: RevokeOptions): Promise<void> {
  const { router, nonce } = options;
  if ((router === undefined) === (nonce === undefined)) {
    throw new PouwError('revoke_ambiguous', 'Either a router is named, or the nonce of an allowance.', {
      class: 'invalid',
      hint: '--router for one that was brought, --nonce for one that was only signed.',
    });
  }
  return router === undefined ? revokeNonce(session, nonce as string, options) : revokeGrant(session, router, options);
}

async function revokeGrant(session: SessionId, router: Address, options: RevokeOptions): Promise<void> {
  const place = await findPlace(options);
  await withWallet(place, accountOf(options, 'client'), async (wallet) => {
    await requireSession(wallet.ledger, session, undefined);
    const grant = await wallet.chain.grant(session, router);
    if (grant === undefined) {
      const value = { session, router, before: true };
      return report(options.json, value, 'The router is allowed nothing.', { session, router });
    }
    wallet.step(0, 1, 'revoke');
    // It may be allowed something again, and that be revoked: each is one of its own.
    const { number } = await wallet.ledger.block();
    const effect = wallet.effect('session.revoke', `${session}/${router}/${number}`);
    const sent = await wallet.send({ call: 'revokeAllowance', session, router }, effect);
    const value = { session, router, revokedWei: grant.leftWei, ...transactionJson(sent) };
    await report(options.json, value, 'The router may spend no more.', {
      session,
      router,
      'was left': cor(grant.leftWei),
      ...transactionFacts(sent),
    });
  });
}

async function revokeNonce(session: SessionId, nonce: string, options: RevokeOptions): Promise<void> {
  const place = await findPlace(options);
  await withWallet(place, accountOf(options, 'client'), async (wallet) => {
    await requireSession(wallet.ledger, session, undefined);
    wallet.step(0, 1, 'revoke');
    const sent = await wallet.send({ call: 'revokeNonce', nonce }, wallet.effect('session.revoke-nonce', nonce));
    const value = { session, nonce, ...transactionJson(sent) };
    await report(options.json, value, 'No allowance with this nonce can be brought any more.', {
      nonce,
      ...transactionFacts(sent),
    });
  });
}

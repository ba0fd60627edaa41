import type { SessionOnLedger } from '../../adapters/chain/ledger.ts';
import type { SessionId } from '../../core/ids.ts';
import type { ChainCall } from '../../ports/chain.ts';
import { accountOf, type AccountOptions, type AccountRole } from '../wallet/account.ts';
import { findPlace, type PlaceOptions } from '../wallet/place.ts';
import { doneBefore, type Facts, report, transactionFacts, transactionJson } from '../wallet/report.ts';
import { type Sent, type Wallet, withWallet } from '../wallet/wallet.ts';
import { requireSession } from './require-session.ts';

/** How a session is changed. */
export interface ChangeOptions extends PlaceOptions, AccountOptions {
  readonly requestId?: string;
  readonly json?: boolean;
}

/** What is said of a change: to people, and to programs. */
export interface Told {
  readonly sentence: string;
  readonly value?: object;
  readonly facts?: Facts;
}

/** What there is to do: nothing, where the session is as is wanted already. */
export type Plan =
  | { readonly already: Told }
  | { readonly call: ChainCall; readonly tell: (sent: Sent) => Told | Promise<Told> };

/** A change to a session: what names it, whose account it is by default, and what it needs. */
export interface Change {
  readonly what: string;
  readonly role: AccountRole;
  /** @throws PouwError where the contract would refuse. */
  plan(wallet: Wallet, session: SessionOnLedger): Plan | Promise<Plan>;
}

/**
 * Changes a session, unless it is as is wanted. A session may be changed and changed back: each time is one of its own,
 * named by the number of changes before it, so that a command that was killed goes on with the one it had begun.
 *
 * @throws PouwError `session_not_found`, and what the change itself throws.
 */
export async function changeSession(id: SessionId, options: ChangeOptions, change: Change): Promise<void> {
  const { requestId, json } = options;
  const place = await findPlace(options);
  await withWallet(place, accountOf(options, change.role), async (wallet) => {
    const { ledger, address } = wallet;
    const session = await requireSession(ledger, id, undefined);
    const request = requestId === undefined ? `${id}/${await ledger.changes(id)}` : `id/${requestId}`;
    const effect = wallet.effect(`session.${change.what}`, request);
    const done = requestId === undefined ? undefined : await ledger.effect(address, effect);
    if (done !== undefined) {
      const { block, txHash: transaction } = done;
      const facts = { session: id, block: String(block), transaction };
      return report(json, { session: id, ...done, before: true, effect }, doneBefore, facts);
    }
    const plan = await change.plan(wallet, session);
    if ('already' in plan) {
      const { sentence, value, facts } = plan.already;
      return report(json, { session: id, ...value, before: true }, sentence, { session: id, ...facts });
    }
    wallet.step(0, 1, change.what);
    const sent = await wallet.send(plan.call, effect);
    const { sentence, value, facts } = await plan.tell(sent);
    await report(json, { session: id, ...value, ...transactionJson(sent), effect }, sentence, {
      session: id,
      ...facts,
      ...transactionFacts(sent),
    });
  });
}

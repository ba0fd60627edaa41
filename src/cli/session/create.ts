import { canonicalJson } from '../../core/canonical-json.ts';
import type { SessionTerms } from '../../core/chain-fact.ts';
import { PouwError } from '../../core/errors.ts';
import type { Address, SessionId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import type { Wei } from '../../core/wei.ts';
import { defaultTerms, type TermsOverrides } from '../compose/settings.ts';
import { accountOf, type AccountOptions } from '../wallet/account.ts';
import { findPlace, type PlaceOptions } from '../wallet/place.ts';
import { cor, doneBefore, report, transactionFacts, transactionJson } from '../wallet/report.ts';
import { notServed, requireServing } from './require-serving.ts';
import { requireSameRequest } from '../wallet/same-request.ts';
import { requestOf, type Sent, type Wallet, withWallet } from '../wallet/wallet.ts';
import { requireUse } from './pool.ts';
import { requireTerms } from './require-terms.ts';
import { termsIn, type TermsOptions } from './terms-options.ts';

/** What `pouw session create` was asked for. */
export interface CreateOptions extends PlaceOptions, AccountOptions, TermsOptions {
  readonly model: string;
  readonly deposit: Wei;
  readonly router?: readonly Address[];
  readonly pay?: 'balance' | 'stake';
  readonly miner?: readonly Address[];
  readonly requestId?: string;
  readonly json?: boolean;
}

/** Opens a session. */
export async function createSession(options: CreateOptions): Promise<void> {
  const place = await findPlace(options);
  const account = accountOf(options, 'client');
  await withWallet(place, account, async (wallet) => {
    const { model, deposit, router, requestId, json } = options;
    const { miner } = options;
    const lists = miner === undefined ? {} : { mode: 'dedicated' as const, dedicatedMiners: miner };
    const overrides = { ...termsIn(options), ...lists };
    await requireTerms(wallet.ledger, defaultTerms(model, [], overrides));
    // The routers that happen to be active are no part of what was asked for.
    const way = options.pay === 'stake' ? ['stake'] : [];
    const effect = wallet.effect(
      'session.create',
      requestOf(requestId, model, deposit, overrides, router ?? [], ...way),
    );
    const sent = await open(wallet, options, overrides, effect);
    requireSameRequest(sent, 'SessionDeposited', ({ amountWei }) => amountWei === deposit);
    requireSameRequest(sent, 'SessionOpened', ({ terms }) => hasTerms(terms, { ...overrides, model }));
    const opened = sent.receipt.facts.find((fact) => fact.type === 'SessionOpened');
    const session = opened?.type === 'SessionOpened' ? opened.session : ('' as SessionId);
    const value = { session, client: wallet.address, depositWei: deposit, ...transactionJson(sent), effect };
    const state = sent.before ? (await wallet.ledger.session(session))?.state : undefined;
    await report(json, value, sent.before ? doneBefore : 'The session is open.', {
      session,
      state,
      client: wallet.address,
      model,
      deposit: cor(deposit),
      'paid by': options.pay === 'stake' ? 'the pool' : undefined,
      ...transactionFacts(sent),
    });
  });
}

/** Whether terms are those that were asked for, as far as they were named. */
function hasTerms(terms: SessionTerms, named: Partial<SessionTerms>): boolean {
  return Object.entries(named).every(
    ([name, value]) => canonicalJson(terms[name as keyof SessionTerms]) === canonicalJson(value),
  );
}

async function open(
  wallet: Wallet,
  { model, deposit: depositWei, router, pay }: CreateOptions,
  overrides: TermsOverrides,
  effect: ReturnType<Wallet['effect']>,
): Promise<Sent> {
  const isDone = (await wallet.ledger.effect(wallet.address, effect)) !== undefined;
  const routers = router ?? (await activeRouters(wallet));
  if (!isDone && router !== undefined) await requireServing(wallet, router);
  const terms = defaultTerms(model, routers, overrides);
  if (pay === 'stake') {
    if (!isDone) await requireUse(wallet.ledger, wallet.address, depositWei);
    wallet.step(0, 1, 'session');
    return wallet.send({ call: 'openPooled', terms: { ...terms, routerMaySubmit: false }, depositWei }, effect);
  }
  if (!isDone) {
    await wallet.requireCor(depositWei);
    wallet.step(0, 2, 'permission');
    await wallet.allow('sessions', depositWei);
    wallet.step(1, 2, 'session');
  }
  return wallet.send({ call: 'openSession', terms, depositWei }, effect);
}

/** The active routers that serve the account. */
async function activeRouters({ ledger, address }: Wallet): Promise<readonly Address[]> {
  const routers = (await ledger.nodes()).filter(({ roles, active }) => roles.includes('router') && active);
  const served: Address[] = [];
  for (const { node } of routers) {
    if (served.length === limits.sessionRoutersMax) break;
    if (await ledger.isServed(node, address)) served.push(node);
  }
  if (served.length > 0) return served;
  if (routers.length > 0) throw notServed('None of the active routers serves', address);
  throw new PouwError('no_routers', 'No router is registered and active.', {
    class: 'unavailable',
    hint: 'Start the routers first: a session keeps those it was opened with.',
  });
}

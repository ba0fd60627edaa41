import { PouwError } from '../../core/errors.ts';
import type { SessionTerms } from '../../core/chain-fact.ts';
import type { Address, SessionId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import type { Settlement } from '../../core/settlement.ts';
import type { Wei } from '../../core/wei.ts';
import { defaultTerms, type TermsOverrides } from '../compose/settings.ts';
import { accountOf, type AccountOptions } from '../wallet/account.ts';
import { findPlace, type PlaceOptions } from '../wallet/place.ts';
import { cor, doneBefore, report, transactionFacts, transactionJson } from '../wallet/report.ts';
import { requireUse } from './pool.ts';
import { requestOf, type Sent, type Wallet, withWallet } from '../wallet/wallet.ts';

/** What `pouw session create` was asked for. */
export interface CreateOptions extends PlaceOptions, AccountOptions {
  readonly model: string;
  readonly deposit: Wei;
  readonly redundancy?: number;
  readonly validators?: number;
  readonly level?: number;
  readonly similarityBps?: number;
  readonly settlement?: Settlement;
  readonly appealWindow?: number;
  readonly maxPrice?: Wei;
  readonly promptPrice?: Wei;
  readonly outputPrice?: Wei;
  readonly router?: readonly Address[];
  readonly allowanceOnly?: boolean;
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
    await requireAppealable(wallet, options);
    const overrides = overridesOf(options);
    requireMiners(defaultTerms(model, [], overrides));
    // The routers that happen to be active are no part of what was asked for.
    const way = options.pay === 'stake' ? ['stake'] : [];
    const effect = wallet.effect(
      'session.create',
      requestOf(requestId, model, deposit, overrides, router ?? [], ...way),
    );
    const sent = await open(wallet, options, overrides, effect);
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

/**
 * What the contract refuses is said before anything is allowed or sent.
 *
 * @throws PouwError `appeal_window_impossible`, `appeal_window_out_of_bounds`.
 */
async function requireAppealable({ ledger }: Wallet, options: CreateOptions): Promise<void> {
  const { appealWindow = 0, level, validators, settlement } = options;
  if (appealWindow === 0) return;
  const isJudged = level !== 0 && validators !== 0;
  if (!isJudged || settlement === 'batched') {
    const who = 'A session without validators, or one settled in batches, has no appeals.';
    throw new PouwError('appeal_window_impossible', who, {
      class: 'invalid',
      why: isJudged ? 'What is wrong in a batch is proven.' : 'Nobody attests anything that could be appealed.',
      hint: 'Leave out --appeal-window, or what makes it impossible.',
      param: 'appeal-window',
    });
  }
  const { windowMaxS } = await ledger.appealRules();
  if (appealWindow <= windowMaxS) return;
  const most = `An appeal window is ${windowMaxS} s at most here, not ${appealWindow}.`;
  throw new PouwError('appeal_window_out_of_bounds', most, {
    class: 'invalid',
    why: 'The parameters of the deployment bound it.',
    hint: 'Ask for a shorter one.',
    param: 'appeal-window',
    details: { windowMaxS },
  });
}

/** The contract takes fewer, since a list may grow; until it does no task of the session could be assigned. */
function requireMiners(terms: SessionTerms): void {
  const { mode, dedicatedMiners, redundancy } = terms;
  if (mode !== 'dedicated' || new Set(dedicatedMiners).size >= redundancy) return;
  const few = `A task goes to ${redundancy} miners, and ${new Set(dedicatedMiners).size} are named.`;
  throw new PouwError('dedicated_miners_too_few', few, {
    class: 'invalid',
    why: 'A session with --miner gives its tasks to those miners and to nobody else.',
    hint: 'Name more with --miner, or ask for fewer with --redundancy.',
    param: 'miner',
  });
}

async function open(
  wallet: Wallet,
  { model, deposit: depositWei, router, pay }: CreateOptions,
  overrides: TermsOverrides,
  effect: ReturnType<Wallet['effect']>,
): Promise<Sent> {
  const isDone = (await wallet.ledger.effect(wallet.address, effect)) !== undefined;
  const routers =
    isDone || router === undefined ? (router ?? (await activeRouters(wallet))) : await serving(wallet, router);
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

/** Routers that were named, where at least one of them serves the account. @throws PouwError `client_not_served`. */
async function serving({ ledger, address }: Wallet, routers: readonly Address[]): Promise<readonly Address[]> {
  for (const router of routers) {
    if (!(await ledger.isServed(router, address))) throw notServed(`The router ${router} does not serve`, address);
  }
  return routers;
}

function notServed(who: string, account: Address): PouwError {
  return new PouwError('client_not_served', `${who} ${account}.`, {
    class: 'forbidden',
    why: 'A router takes no task of an account that it has refused on chain.',
    hint: 'Name other routers with --router, or ask one to list the account; `pouw node access show` tells whom it serves.',
  });
}

/** The terms that were named. */
function overridesOf(options: CreateOptions): TermsOverrides {
  const { redundancy, validators, level, similarityBps, settlement, appealWindow } = options;
  const { maxPrice, promptPrice, outputPrice, miner, allowanceOnly } = options;
  return {
    ...(redundancy === undefined ? {} : { redundancy }),
    ...(validators === undefined ? {} : { validators }),
    ...(level === undefined ? {} : { level }),
    ...(similarityBps === undefined ? {} : { similarityBps }),
    ...(settlement === undefined ? {} : { settlement }),
    ...(appealWindow === undefined ? {} : { appealWindowS: appealWindow }),
    ...(maxPrice === undefined ? {} : { maxTaskPriceWei: maxPrice }),
    ...(promptPrice === undefined ? {} : { promptTokenWei: promptPrice }),
    ...(outputPrice === undefined ? {} : { outputTokenWei: outputPrice }),
    ...(allowanceOnly === true ? { routerMaySubmit: false } : {}),
    ...(miner === undefined ? {} : { mode: 'dedicated', dedicatedMiners: miner }),
  };
}

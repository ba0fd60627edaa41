import { openLedger } from '../../adapters/chain/ledger.ts';
import type { AccountAccess } from '../../core/chain-fact.ts';
import { PouwError } from '../../core/errors.ts';
import type { Address } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import type { RouterAccess } from '../../ports/chain-access.ts';
import { findPlace } from '../wallet/place.ts';
import { doneBefore, report, transactionFacts, transactionJson } from '../wallet/report.ts';
import { requestOf, type Wallet, withWallet } from '../wallet/wallet.ts';
import { accountOf } from '../wallet/account.ts';
import { notARouter, requireNode } from './node-account.ts';
import type { NodeOptions } from './stake.ts';

const said: Readonly<Record<AccountAccess, string>> = {
  served: 'It serves them from now on.',
  refused: 'It does not serve them from now on.',
  unlisted: 'They are on its list no more.',
};

/**
 * `pouw node access serve|refuse|unlist`: a router says whether it serves accounts.
 *
 * @throws PouwError `node_not_registered`, `not_a_router`, `too_many_accounts`; `chain_reverted` (`AccessListFull`).
 */
export async function listAccounts(
  access: AccountAccess,
  accounts: readonly Address[],
  options: NodeOptions,
): Promise<void> {
  if (accounts.length > limits.accessAccountsPerCallMax)
    throw new PouwError('too_many_accounts', `${accounts.length} accounts are named.`, {
      class: 'too-large',
      why: `A transaction lists ${limits.accessAccountsPerCallMax} at most.`,
      hint: 'Name them in several commands.',
    });
  await withRouter(options, async ({ wallet, before }) => {
    const now = (account: Address): AccountAccess =>
      before.listed.find((one) => one.account === account)?.access ?? 'unlisted';
    const changed = accounts.filter((account) => now(account) !== access);
    if (changed.length === 0)
      return report(options.json, { router: wallet.address, accounts, access, before: true }, 'It is so already.');
    const { number } = await wallet.ledger.block();
    const effect = wallet.effect('node.access', requestOf(options.requestId, access, changed, number));
    wallet.step(0, 1, 'access');
    const sent = await wallet.send({ call: 'setAccess', accounts: changed, access }, effect);
    const value = { router: wallet.address, accounts: changed, access, ...transactionJson(sent), effect };
    await report(options.json, value, sent.before ? doneBefore : said[access], {
      router: wallet.address,
      accounts: changed.join(', '),
      ...transactionFacts(sent),
    });
  });
}

/** `pouw node access others`: a router says whether it serves whom it has not listed. @throws PouwError as {@link listAccounts}. */
export async function ruleOthers(rule: 'served' | 'refused', options: NodeOptions): Promise<void> {
  await withRouter(options, async ({ wallet, before }) => {
    const exclusive = rule === 'refused';
    const sentence = exclusive ? 'It serves only whom it has listed.' : 'It serves whom it has not listed, too.';
    if (before.exclusive === exclusive)
      return report(options.json, { router: wallet.address, others: rule, before: true }, 'It is so already.');
    const { number } = await wallet.ledger.block();
    const effect = wallet.effect('node.access.others', requestOf(options.requestId, rule, number));
    wallet.step(0, 1, 'access');
    const sent = await wallet.send({ call: 'setExclusive', exclusive }, effect);
    const value = { router: wallet.address, others: rule, ...transactionJson(sent), effect };
    const facts = { router: wallet.address, ...transactionFacts(sent) };
    await report(options.json, value, sent.before ? doneBefore : sentence, facts);
  });
}

/** `pouw node access show`: whom a router serves. @throws PouwError `node_not_registered`, `not_a_router`. */
export async function showAccess(address: Address | undefined, options: NodeOptions): Promise<void> {
  const { rpcUrl, record } = await findPlace(options);
  const ledger = await openLedger({ rpcUrl, ...record });
  const router = address ?? accountOf(options, 'router').address;
  requireRouter((await requireNode(ledger, router)).roles, router);
  const { exclusive, listed } = await ledger.access(router);
  const others = exclusive ? 'refused' : 'served';
  const sentence = exclusive ? 'It serves only whom it has listed as served.' : 'It serves all but whom it refuses.';
  await report(options.json, { router, others, listed }, sentence, {
    router,
    ...Object.fromEntries(listed.map(({ account, access }) => [account, access])),
    'all others': others,
  });
}

interface RouterWallet {
  readonly wallet: Wallet;
  /** What it has said before. */
  readonly before: RouterAccess;
}

async function withRouter(options: NodeOptions, work: (router: RouterWallet) => Promise<void>): Promise<void> {
  const place = await findPlace(options);
  await withWallet(place, accountOf(options, 'router'), async (wallet) => {
    requireRouter((await requireNode(wallet.ledger, wallet.address)).roles, wallet.address);
    await work({ wallet, before: await wallet.ledger.access(wallet.address) });
  });
}

function requireRouter(roles: readonly string[], address: Address): void {
  if (!roles.includes('router')) throw notARouter(address);
}

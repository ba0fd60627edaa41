import { PouwError } from '../../core/errors.ts';
import type { EffectId } from '../../core/ids.ts';
import { type Wei, zeroWei } from '../../core/wei.ts';
import type { UseStake } from '../../ports/chain-use.ts';
import { momentText } from '../../replay/timeline.ts';
import { notStaked } from '../session/pool.ts';
import { accountOf, type AccountOptions } from '../wallet/account.ts';
import { findPlace, type PlaceOptions } from '../wallet/place.ts';
import { cor, doneBefore, type Facts, report, transactionFacts, transactionJson } from '../wallet/report.ts';
import { requestOf, type Wallet, withWallet } from '../wallet/wallet.ts';

/** Whose stake, and how it is told. */
export interface UseOptions extends PlaceOptions, AccountOptions {
  readonly requestId?: string;
  readonly json?: boolean;
}

/** Stakes for use of the network. */
export async function stakeForUse(amountWei: Wei, options: UseOptions): Promise<void> {
  await withAccountWallet(options, async (wallet) => {
    const effect = wallet.effect('use.stake', requestOf(options.requestId, amountWei));
    await pay(wallet, amountWei, effect);
    const sent = await wallet.send({ call: 'stakeForUse', amountWei }, effect);
    const stake = await wallet.ledger.useStake(wallet.address);
    const value = { account: wallet.address, amountWei, stakeWei: stake.amountWei, ...transactionJson(sent), effect };
    const sentence = sent.before ? doneBefore : `${cor(amountWei)} are staked. What they may use grows over a day.`;
    await report(options.json, value, sentence, { ...stakeFacts(stake), ...transactionFacts(sent) });
  });
}

/** Gives to the pool. */
export async function fundPool(amountWei: Wei, options: UseOptions): Promise<void> {
  await withAccountWallet(options, async (wallet) => {
    const effect = wallet.effect('use.fund', requestOf(options.requestId, amountWei));
    await pay(wallet, amountWei, effect);
    const sent = await wallet.send({ call: 'fundPool', amountWei }, effect);
    const { poolWei } = await wallet.ledger.usePool();
    const value = { from: wallet.address, amountWei, poolWei, ...transactionJson(sent), effect };
    await report(options.json, value, sent.before ? doneBefore : `${cor(amountWei)} are in the pool, for good.`, {
      pool: cor(poolWei),
      ...transactionFacts(sent),
    });
  });
}

/** Asks for the whole stake. */
export async function unstake(options: UseOptions): Promise<void> {
  await withAccountWallet(options, async (wallet) => {
    const before = await wallet.ledger.useStake(wallet.address);
    if (before.amountWei === zeroWei) throw notStaked(wallet.address);
    const told = (stake: UseStake) => ({ account: wallet.address, stakeWei: stake.amountWei, ...stake });
    if (before.unlocksAt !== undefined)
      return report(options.json, { ...told(before), before: true }, 'It was asked for already.', stakeFacts(before));
    wallet.step(0, 1, 'unstake');
    const sent = await wallet.send({ call: 'requestUseUnstake' }, await momentEffect(wallet, 'use.unstake'));
    const stake = await wallet.ledger.useStake(wallet.address);
    const sentence = 'It may use nothing more. `pouw stake-to-use withdraw` takes the stake once it is unlocked.';
    const facts = { ...stakeFacts(stake), ...transactionFacts(sent) };
    await report(options.json, { ...told(stake), ...transactionJson(sent) }, sentence, facts);
  });
}

/** Takes the stake back. */
export async function withdrawUseStake(options: UseOptions): Promise<void> {
  await withAccountWallet(options, async (wallet) => {
    const { amountWei, unlocksAt } = await wallet.ledger.useStake(wallet.address);
    if (amountWei === zeroWei) throw notStaked(wallet.address);
    const { at } = await wallet.ledger.block();
    if (unlocksAt === undefined || at < unlocksAt) throw locked(unlocksAt);
    wallet.step(0, 1, 'withdraw');
    const sent = await wallet.send({ call: 'withdrawUseStake' }, await momentEffect(wallet, 'use.withdraw'));
    const value = { account: wallet.address, amountWei, ...transactionJson(sent) };
    await report(options.json, value, `${cor(amountWei)} are back.`, transactionFacts(sent));
  });
}

async function withAccountWallet(options: UseOptions, work: (wallet: Wallet) => Promise<void>): Promise<void> {
  await withWallet(await findPlace(options), accountOf(options, 'client'), work);
}

/** It may stake, leave and stake again: each time is one of its own. */
async function momentEffect(wallet: Wallet, what: string): Promise<EffectId> {
  return wallet.effect(what, String((await wallet.ledger.block()).number));
}

async function pay(wallet: Wallet, amountWei: Wei, effect: EffectId): Promise<void> {
  if ((await wallet.ledger.effect(wallet.address, effect)) !== undefined) return;
  await wallet.requireCor(amountWei);
  wallet.step(0, 2, 'permission');
  await wallet.allow('stakeToUse', amountWei);
  wallet.step(1, 2, 'payment');
}

/** The lines of a stake. */
export function stakeFacts({ amountWei, usableWei, unlocksAt }: UseStake): Facts {
  return {
    stake: cor(amountWei),
    'may use now': cor(usableWei),
    unlocked: unlocksAt === undefined ? undefined : `${momentText(unlocksAt)} UTC`,
  };
}

function locked(unlocksAt: number | undefined): PouwError {
  const since = unlocksAt === undefined ? 'It was not asked for.' : `It is unlocked ${momentText(unlocksAt)} UTC.`;
  return new PouwError('stake_locked', 'The stake cannot be taken back yet.', {
    class: 'conflict',
    why: since,
    hint: unlocksAt === undefined ? 'pouw stake-to-use unstake, and 7 days.' : 'Come again then.',
  });
}

import { formatCor, type Wei } from '../../core/wei.ts';
import { momentText } from '../../replay/timeline.ts';
import type { AccountOptions } from '../wallet/account.ts';
import { findPlace, type PlaceOptions } from '../wallet/place.ts';
import { cor, doneBefore, report, transactionFacts, transactionJson } from '../wallet/report.ts';
import { requireSameRequest } from '../wallet/same-request.ts';
import { requestOf, withWallet } from '../wallet/wallet.ts';
import { nodeAccount, requireNode } from './node-account.ts';

/** Whose stake, and how it is told. */
export interface NodeOptions extends PlaceOptions, AccountOptions {
  readonly requestId?: string;
  readonly json?: boolean;
}

/** Stakes more. */
export async function stakeMore(amountWei: Wei, options: NodeOptions): Promise<void> {
  const place = await findPlace(options);
  await withWallet(place, nodeAccount(options), async (wallet) => {
    const effect = wallet.effect('node.stake', requestOf(options.requestId, amountWei));
    await requireNode(wallet.ledger, wallet.address);
    if ((await wallet.ledger.effect(wallet.address, effect)) === undefined) {
      await wallet.requireCor(amountWei);
      wallet.step(0, 2, 'permission');
      await wallet.allow('registry', amountWei);
      wallet.step(1, 2, 'stake');
    }
    const sent = await wallet.send({ call: 'addStake', amountWei }, effect);
    requireSameRequest(sent, 'StakeAdded', (done) => done.amountWei === amountWei);
    const { stakeWei, active } = await requireNode(wallet.ledger, wallet.address);
    const value = { node: wallet.address, amountWei, stakeWei, active, ...transactionJson(sent), effect };
    await report(options.json, value, sent.before ? doneBefore : `${cor(amountWei)} more are staked.`, {
      node: wallet.address,
      stake: cor(stakeWei),
      active: active ? 'yes' : 'no',
      ...transactionFacts(sent),
    });
  });
}

/** Asks for the whole stake. */
export async function leaveNetwork(options: NodeOptions): Promise<void> {
  const place = await findPlace(options);
  await withWallet(place, nodeAccount(options), async (wallet) => {
    const { address: node, ledger } = wallet;
    const record = await requireNode(ledger, node);
    if (record.unbondsAt !== undefined) {
      const value = { node, stakeWei: record.stakeWei, unbondsAt: record.unbondsAt, before: true };
      return report(
        options.json,
        value,
        'It has asked for its stake already.',
        unbonding(record.stakeWei, record.unbondsAt),
      );
    }
    // It may leave, come back and leave again: each time is one of its own.
    const earlier = (await ledger.movements(node)).filter(({ type }) => type === 'UnstakeRequested').length;
    wallet.step(0, 1, 'leave');
    const sent = await wallet.send({ call: 'requestUnstake' }, wallet.effect('node.leave', String(earlier)));
    const asked = sent.receipt.facts.find((fact) => fact.type === 'UnstakeRequested');
    const unbondsAt = asked?.type === 'UnstakeRequested' ? asked.unbondsAt : 0;
    const value = { node, stakeWei: record.stakeWei, unbondsAt, ...transactionJson(sent) };
    await report(options.json, value, 'It takes no more work. `pouw node claim` takes the stake when it is unbonded.', {
      ...unbonding(record.stakeWei, unbondsAt),
      ...transactionFacts(sent),
    });
  });
}

function unbonding(stakeWei: Wei, unbondsAt: number): { readonly stake: string; readonly unbonded: string } {
  return {
    stake: `${formatCor(stakeWei)} $COR, which can be slashed until then`,
    unbonded: `${momentText(unbondsAt)} UTC`,
  };
}

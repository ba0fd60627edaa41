import type { AccountFact } from '../../adapters/chain/ledger.ts';
import { openBlockReader } from '../../adapters/ipfs/block-reader.ts';
import { cidToDigest } from '../../core/cid.ts';
import { PouwError } from '../../core/errors.ts';
import { addWei, type Wei, wei, zeroWei } from '../../core/wei.ts';
import { momentText } from '../../replay/timeline.ts';
import { claimsOf } from '../../nodes/batch-claims.ts';
import type { ContentStore } from '../../ports/content-store.ts';
import { accountOf } from '../wallet/account.ts';
import { findPlace } from '../wallet/place.ts';
import { cor, report } from '../wallet/report.ts';
import { type Sent, type Wallet, withWallet } from '../wallet/wallet.ts';
import { nodeAccount, requireNode } from './node-account.ts';
import type { NodeOptions } from './stake.ts';
import { sweep } from './sweep.ts';

/** Something an account was owed. */
interface Claimed {
  readonly what: 'earnings' | 'stake' | 'batches' | 'appeals' | 'disputes' | 'faults' | 'slashed';
  readonly amountWei: Wei;
  readonly txHash: string;
  readonly block: number;
}

/** `pouw claim`: takes what an account has earned, and what appeals owe it. */
export async function claimEarnings(options: NodeOptions): Promise<void> {
  const place = await findPlace(options);
  await withWallet(place, accountOf(options, 'deployer'), async (wallet) => {
    const earlier = await wallet.ledger.movements(wallet.address);
    const earnings = await takeEarnings(wallet, earlier);
    const claimed = [earnings, await takeFromAppeals(wallet, earlier), await takeFromDisputes(wallet)];
    const slashed = [await takeForFaults(wallet), await takeSlashed(wallet)];
    const all = [...claimed, ...slashed, ...(await takeFromBatches(wallet))].filter((one) => one !== undefined);
    await tell(options.json, wallet, all, earlier, undefined);
  });
}

/** `pouw node claim`: takes what a node has earned, what appeals owe it, and its stake once that is unbonded. */
export async function claimAll(options: NodeOptions): Promise<void> {
  const place = await findPlace(options);
  await withWallet(place, nodeAccount(options), async (wallet) => {
    const { stakeWei, unbondsAt } = await requireNode(wallet.ledger, wallet.address);
    const earlier = await wallet.ledger.movements(wallet.address);
    const earnings = await takeEarnings(wallet, earlier);
    const isFree = unbondsAt !== undefined && stakeWei !== zeroWei && unbondsAt <= (await wallet.ledger.block()).at;
    const stake = isFree ? await takeStake(wallet, earlier) : undefined;
    const appeals = await takeFromAppeals(wallet, earlier);
    const disputes = await takeFromDisputes(wallet);
    const faults = await takeForFaults(wallet);
    const all = [earnings, stake, appeals, disputes, faults, ...(await takeFromBatches(wallet))];
    const claimed = all.filter((one) => one !== undefined);
    const waits = unbondsAt === undefined || isFree || stakeWei === zeroWei ? undefined : { stakeWei, unbondsAt };
    await tell(options.json, wallet, claimed, earlier, waits);
  });
}

/** Each time is one of its own, numbered by those before: a command that was killed goes on with the one it had begun. */
async function takeEarnings(wallet: Wallet, earlier: readonly AccountFact[]): Promise<Claimed | undefined> {
  if ((await wallet.ledger.earnings(wallet.address)) === zeroWei) return undefined;
  const count = earlier.filter(({ type }) => type === 'EarningsWithdrawn').length;
  wallet.step(0, 1, 'earnings');
  return claimedBy('earnings', await wallet.send({ call: 'withdrawEarnings' }, wallet.effect('claim', String(count))));
}

/** Bonds that are back, and parts of what was lost by who was wrong. */
async function takeFromAppeals(wallet: Wallet, earlier: readonly AccountFact[]): Promise<Claimed | undefined> {
  if ((await wallet.ledger.appealOwed(wallet.address)) === zeroWei) return undefined;
  const count = earlier.filter(({ type }) => type === 'AppealWithdrawn').length;
  wallet.step(0, 1, 'appeals');
  const effect = wallet.effect('claim.appeals', String(count));
  return claimedBy('appeals', await wallet.send({ call: 'withdrawAppealed' }, effect));
}

/** Bonds of disputed checkpoints: the own one that is back, or for the treasury those that were lost. */
async function takeFromDisputes(wallet: Wallet): Promise<Claimed | undefined> {
  const { owedWei, withdrawals: count } = await wallet.ledger.bonds(wallet.address);
  if (owedWei === zeroWei) return undefined;
  wallet.step(0, 1, 'disputes');
  const effect = wallet.effect('claim.disputes', String(count));
  const { receipt } = await wallet.send({ call: 'withdrawDisputeBond' }, effect);
  return { what: 'disputes', amountWei: owedWei, txHash: receipt.txHash, block: receipt.block };
}

/** Its part of the stake of those whose faults it has proven. */
async function takeForFaults(wallet: Wallet): Promise<Claimed | undefined> {
  const { owedWei, withdrawals: count } = await wallet.ledger.faultRewards(wallet.address);
  if (owedWei === zeroWei) return undefined;
  wallet.step(0, 1, 'faults');
  const { receipt } = await wallet.send({ call: 'withdrawReward' }, wallet.effect('claim.faults', String(count)));
  return { what: 'faults', amountWei: owedWei, txHash: receipt.txHash, block: receipt.block };
}

/** The rest of what was slashed, where the account is the treasury. */
async function takeSlashed(wallet: Wallet): Promise<Claimed | undefined> {
  if ((await wallet.ledger.slashedForTreasury()).treasury !== wallet.address) return undefined;
  const swept = await sweep(wallet);
  if (swept === undefined) return undefined;
  const { txHash, block } = swept.sent.receipt;
  return { what: 'slashed', amountWei: swept.amountWei, txHash, block };
}

/** One proof for each poster takes all that its final batches have paid; the effect is named by the batch, which pays once. */
async function takeFromBatches(wallet: Wallet): Promise<Claimed[]> {
  const batches = await wallet.ledger.batches();
  const claims = await claimsOf(batches, [wallet.address], wallet.ledger, contentsOf(wallet));
  const claimed: Claimed[] = [];
  for (const { of, payments, amountWei } of claims) {
    wallet.step(claimed.length, claims.length, 'batches');
    const { batch, header } = of;
    const effect = wallet.effect('claim.batch', String(batch));
    const { receipt } = await wallet.send({ call: 'claimMany', batch, header, payments }, effect);
    const sum = addWei(zeroWei, ...amountWei);
    claimed.push({ what: 'batches', amountWei: sum, txHash: receipt.txHash, block: receipt.block });
  }
  return claimed;
}

/** What batches pay is content: it lies in the data folder of whoever runs the network, or has seen it. */
function contentsOf({ folder }: Wallet): Pick<ContentStore, 'get'> {
  const { get } = openBlockReader(folder);
  return {
    get: async (cid) => {
      const found = await get(cidToDigest(cid));
      if (found !== undefined) return found;
      throw new PouwError('content_not_found', `The content ${cid} of a batch is not in ${folder}.`, {
        class: 'not-found',
        why: 'What a batch pays is proven with its content, and not with the chain alone.',
        hint: 'Name the data folder of the router that posted it, or of a node that has its content, with --data.',
      });
    },
  };
}

async function takeStake(wallet: Wallet, earlier: readonly AccountFact[]): Promise<Claimed> {
  const count = earlier.filter(({ type }) => type === 'StakeWithdrawn').length;
  wallet.step(0, 1, 'stake');
  return claimedBy('stake', await wallet.send({ call: 'withdrawStake' }, wallet.effect('node.unstake', String(count))));
}

/** The facts by which the chain says what was taken. */
const withdrawals = { stake: 'StakeWithdrawn', earnings: 'EarningsWithdrawn', appeals: 'AppealWithdrawn' } as const;

function claimedBy(what: keyof typeof withdrawals, { receipt }: Sent): Claimed {
  const type = withdrawals[what];
  const amounts = receipt.facts.flatMap((fact) => (fact.type === type && 'amountWei' in fact ? [fact.amountWei] : []));
  return { what, amountWei: addWei(wei(0), ...amounts), txHash: receipt.txHash, block: receipt.block };
}

async function tell(
  json: boolean | undefined,
  { address, ledger }: Wallet,
  claimed: readonly Claimed[],
  earlier: readonly AccountFact[],
  waits: { readonly stakeWei: Wei; readonly unbondsAt: number } | undefined,
): Promise<void> {
  const last = earlier.findLast((fact) => Object.values<string>(withdrawals).includes(fact.type));
  const balanceWei = await ledger.corBalance(address);
  const before =
    last === undefined || !('amountWei' in last) ? undefined : `${cor(last.amountWei)} in block ${last.place.block}`;
  const sentence =
    claimed.length === 0
      ? 'There is nothing to take.'
      : `${cor(addWei(wei(0), ...claimed.map(({ amountWei }) => amountWei)))} were taken.`;
  const value = {
    account: address,
    claimed,
    balanceWei,
    ...(waits === undefined ? {} : { unbondsAt: waits.unbondsAt }),
  };
  await report(json, value, sentence, {
    account: address,
    ...Object.fromEntries(claimed.map(({ what, amountWei, block }) => [what, `${cor(amountWei)}, block ${block}`])),
    'stake bonded': waits === undefined ? undefined : `${cor(waits.stakeWei)} until ${momentText(waits.unbondsAt)} UTC`,
    'taken before': before,
    holds: cor(balanceWei),
  });
}

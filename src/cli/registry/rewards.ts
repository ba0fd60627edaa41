import type { ClaimableReward } from '../../adapters/chain/rewards.ts';
import { openBlockReader } from '../../adapters/ipfs/block-reader.ts';
import { type Standing, standingLeaf, standingsTree } from '../../core/checkpoint.ts';
import { PouwError } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import { addWei, type Wei, wei, zeroWei } from '../../core/wei.ts';
import { findPlace } from '../wallet/place.ts';
import { cor, report } from '../wallet/report.ts';
import { type Wallet, withWallet } from '../wallet/wallet.ts';
import { nodeAccount, requireNode } from './node-account.ts';
import type { NodeOptions } from './stake.ts';

/** Whose rewards, and where checkpoints' manifests are, beside the data folder. */
export interface RewardOptions extends NodeOptions {
  readonly content?: readonly string[];
}

/** A reward that was claimed. */
interface ClaimedReward {
  readonly epoch: number;
  readonly amountWei: Wei;
  readonly txHash: Hex;
  readonly block: number;
}

/**
 * `pouw claim --rewards`: what a node gets for its idle work, one claim for each epoch that counts and is not claimed yet.
 *
 * @throws PouwError `role_missing`, `node_not_registered`, `checkpoint_content_missing`.
 */
export async function claimRewards(options: RewardOptions): Promise<void> {
  const place = await findPlace(options);
  await withWallet(place, nodeAccount(options), async (wallet) => {
    await requireNode(wallet.ledger, wallet.address);
    const claimable = await wallet.ledger.rewards(wallet.address);
    const folders = [place.folder, ...(options.content ?? [])];
    const claimed: ClaimedReward[] = [];
    for (const [done, reward] of claimable.entries()) {
      wallet.step(done, claimable.length, `epoch ${reward.epoch}`);
      const one = await claimReward(wallet, reward, folders);
      if (one !== undefined) claimed.push(one);
    }
    const balanceWei = await wallet.ledger.corBalance(wallet.address);
    const sumWei = addWei(zeroWei, ...claimed.map(({ amountWei }) => amountWei));
    const sentence = claimed.length === 0 ? 'There is no reward to take.' : `${cor(sumWei)} were minted.`;
    await report(options.json, { account: wallet.address, claimed, balanceWei }, sentence, {
      account: wallet.address,
      ...Object.fromEntries(
        claimed.map(({ epoch, amountWei, block }) => [`epoch ${epoch}`, `${cor(amountWei)}, block ${block}`]),
      ),
      holds: cor(balanceWei),
    });
  });
}

/** Claims one epoch; undefined where the checkpoint gives the node nothing, whatever the chain has credited. */
async function claimReward(
  wallet: Wallet,
  { epoch, manifestDigest, emissionWei, idleWork }: ClaimableReward,
  folders: readonly string[],
): Promise<ClaimedReward | undefined> {
  const standings = await standingsOf(epoch, manifestDigest, folders);
  const standing = standings.find(({ node }) => node === wallet.address);
  if (standing === undefined || standing.idleWork === 0) return undefined;
  const proof = standingsTree(standings).proof(standingLeaf(standing));
  const effect = wallet.effect('claim.reward', String(epoch));
  const { receipt } = await wallet.send({ call: 'claimReward', epoch, standing, proof }, effect);
  const amountWei = wei((emissionWei * BigInt(standing.idleWork)) / BigInt(idleWork));
  return { epoch, amountWei, txHash: receipt.txHash, block: receipt.block };
}

async function standingsOf(epoch: number, digest: Hex, folders: readonly string[]): Promise<readonly Standing[]> {
  for (const folder of folders) {
    // What it holds is what its digest says, which the oracles have signed.
    const manifest = await openBlockReader(folder).get(digest);
    if (manifest !== undefined) return (manifest as unknown as { readonly standings: readonly Standing[] }).standings;
  }
  throw new PouwError('checkpoint_content_missing', `The manifest of the checkpoint of epoch ${epoch} is not here.`, {
    class: 'not-found',
    why: `No data folder that was named has the block of ${digest}.`,
    hint: 'Name the data folder of an oracle that signed it with --content.',
    details: { epoch, manifestDigest: digest },
  });
}

import { findPlace } from '../wallet/place.ts';
import { cor, doneBefore, report, transactionFacts, transactionJson } from '../wallet/report.ts';
import { requestOf, withWallet } from '../wallet/wallet.ts';
import { nodeAccount, requireNode } from './node-account.ts';
import type { NodeOptions } from './stake.ts';

/**
 * `pouw node activate`: a node takes new work again.
 *
 * @throws PouwError `node_not_registered`; `chain_reverted` with the registry's reason where the node may not work
 *   (`StakeTooLow`, `NotAuthorised`).
 */
export async function activateNode(options: NodeOptions): Promise<void> {
  const place = await findPlace(options);
  await withWallet(place, nodeAccount(options), async (wallet) => {
    const { address: node, ledger } = wallet;
    const record = await requireNode(ledger, node);
    if (record.active) {
      const value = { node, active: true, stakeWei: record.stakeWei, before: true };
      return report(options.json, value, 'It takes new work already.', { node, stake: cor(record.stakeWei) });
    }
    // It may rest and come back many times: each time is one of its own, unless it is given a name.
    const { number } = await ledger.block();
    const effect = wallet.effect('node.activate', requestOf(options.requestId, number));
    wallet.step(0, 1, 'activate');
    const sent = await wallet.send({ call: 'setActive', active: true }, effect);
    const { active, stakeWei } = await requireNode(ledger, node);
    const value = { node, active, stakeWei, ...transactionJson(sent), effect };
    await report(options.json, value, sent.before ? doneBefore : 'It takes new work from now on.', {
      node,
      active: active ? 'yes' : 'no',
      stake: cor(stakeWei),
      ...transactionFacts(sent),
    });
  });
}

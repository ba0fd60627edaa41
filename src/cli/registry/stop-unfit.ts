import { PouwError } from '../../core/errors.ts';
import type { Address } from '../../core/ids.ts';
import { revertReason } from '../../nodes/appeals/revert-reason.ts';
import { accountOf } from '../wallet/account.ts';
import { findPlace } from '../wallet/place.ts';
import { cor, doneBefore, report, transactionFacts, transactionJson } from '../wallet/report.ts';
import { requestOf, type Sent, type Wallet, withWallet } from '../wallet/wallet.ts';
import { requireNode } from './node-account.ts';
import type { NodeOptions } from './stake.ts';

/**
 * `pouw node stop-unfit`: stops a node that could not go to work now, since a minimum rose or a role was closed. Any
 * account may.
 *
 * @throws PouwError `node_not_registered`, `node_fit`.
 */
export async function stopUnfit(node: Address, options: NodeOptions): Promise<void> {
  const place = await findPlace(options);
  await withWallet(place, accountOf(options, 'deployer'), async (wallet) => {
    const { ledger } = wallet;
    const { active: isActive, roles, stakeWei } = await requireNode(ledger, node);
    if (!isActive) {
      const value = { node, active: false, stakeWei, before: true };
      return report(options.json, value, 'It takes no new work already.', { node, stake: cor(stakeWei) });
    }
    // It may go to work again and be stopped again: each time is one of its own, unless it is given a name.
    const changes = await ledger.activityChanges(node);
    const effect = wallet.effect('node.stop-unfit', requestOf(options.requestId, node, changes));
    wallet.step(0, 1, 'stop');
    const sent = await send(wallet, node, effect);
    const { active } = await requireNode(ledger, node);
    const value = { node, active, stakeWei, ...transactionJson(sent), effect };
    await report(options.json, value, sent.before ? doneBefore : 'It takes no new work from now on.', {
      node,
      roles: roles.join(', '),
      active: active ? 'yes' : 'no',
      stake: cor(stakeWei),
      ...transactionFacts(sent),
    });
  });
}

async function send(wallet: Wallet, node: Address, effect: ReturnType<Wallet['effect']>): Promise<Sent> {
  try {
    return await wallet.send({ call: 'stopUnfit', node }, effect);
  } catch (cause) {
    if (revertReason(cause) !== 'NodeFit') throw cause;
    throw new PouwError('node_fit', `Nothing keeps ${node} from work.`, {
      class: 'conflict',
      why: 'It has the stake and the authorisations that its roles ask for.',
      param: 'address',
      cause,
    });
  }
}

import { openLedger } from '../../adapters/chain/ledger.ts';
import type { Address } from '../../core/ids.ts';
import { formatCor } from '../../core/wei.ts';
import type { NodeRecord } from '../../ports/chain.ts';
import { momentText } from '../../replay/timeline.ts';
import { print } from '../print.ts';
import { table } from '../table.ts';
import { findPlace } from '../wallet/place.ts';
import { cor, report } from '../wallet/report.ts';
import { nodeAccount, requireNode } from './node-account.ts';
import type { NodeOptions } from './stake.ts';

/** Shows one node, or all. */
export async function showNodes(address: Address | undefined, options: NodeOptions): Promise<void> {
  const { rpcUrl, record } = await findPlace(options);
  const ledger = await openLedger({ rpcUrl, ...record });
  const isNamed = options.key !== undefined || options.role !== undefined;
  const node = address ?? (isNamed ? nodeAccount(options).address : undefined);
  if (node !== undefined) {
    const found = await requireNode(ledger, node);
    const [earningsWei, balanceWei] = await Promise.all([ledger.earnings(node), ledger.corBalance(node)]);
    const money = { earned: cor(earningsWei), holds: cor(balanceWei) };
    const sentence = `It is ${found.active ? 'an active' : 'an inactive'} ${found.roles.join(' and ')}.`;
    return report(options.json, { ...found, earningsWei, balanceWei }, sentence, { ...nodeFacts(found), ...money });
  }
  const nodes = await ledger.nodes();
  if (options.json === true) return report(true, { nodes }, '');
  const columns = [{ title: 'node' }, { title: 'role' }, { title: 'active' }, { title: 'stake', right: true }];
  const rows = nodes.map((one) => [one.node, one.roles.join(', '), stateOf(one), formatCor(one.stakeWei)]);
  await print(nodes.length === 0 ? 'No node is registered.\n' : `${table(columns, rows)}\n`);
}

/** What there is to say of a node. */
export function nodeFacts(record: NodeRecord): Record<string, string | undefined> {
  const { node, roles, key, level, stakeWei, unbondsAt } = record;
  return {
    node,
    roles: roles.join(', '),
    'signing key': key,
    level: String(level),
    stake: cor(stakeWei),
    active: stateOf(record),
    unbonded: unbondsAt === undefined ? undefined : `${momentText(unbondsAt)} UTC`,
  };
}

function stateOf({ active, unbondsAt }: NodeRecord): string {
  if (active) return 'yes';
  return unbondsAt === undefined ? 'no' : 'leaving';
}

import { type Ledger, openLedger } from '../adapters/chain/ledger.ts';
import { roles } from '../core/ids.ts';
import { addWei } from '../core/wei.ts';
import { poolRoles } from '../core/round-fact.ts';
import type { MoneyTotals } from '../ports/chain.ts';
import type { PostedCheckpoint } from '../ports/reputation.ts';
import type { RoundsState } from '../ports/rounds.ts';
import { momentText } from '../replay/timeline.ts';
import { exitCodes } from './report-error.ts';
import { findPlace, type PlaceOptions } from './wallet/place.ts';
import { cor, report } from './wallet/report.ts';

/** What `pouw chain show` was asked for. */
export interface ChainShowOptions extends PlaceOptions {
  readonly json?: boolean;
}

/** Shows a deployment; exit code 1 where its money does not add up. */
export async function showChain(options: ChainShowOptions): Promise<void> {
  const { rpcUrl, record } = await findPlace(options);
  const ledger = await openLedger({ rpcUrl, ...record });
  const { chainId, fromBlock, ...contracts } = record.deployment;
  const [block, money, nodes, sessions, rounds, { newest: checkpoint }] = await Promise.all([
    ledger.block(),
    ledger.money(),
    countNodes(ledger),
    ledger.sessions(),
    ledger.rounds(),
    ledger.reputation(),
  ]);
  const isConserved = conserved(money);
  const open = sessions.filter(({ state }) => state === 'open').length;
  const { deployment, chain } = record;
  const counts = {
    nodes,
    sessions: { opened: sessions.length, open },
    rounds: roundsShown(rounds),
    checkpoint: checkpointShown(checkpoint),
  };
  const value = { deployment, chain, block: block.number, ...counts, money, conserved: isConserved };
  const sentence = isConserved ? 'Every $COR is accounted for.' : 'THE MONEY DOES NOT ADD UP.';
  await report(options.json, value, sentence, {
    chain: `${chainId}, block ${block.number}, contracts from block ${fromBlock}`,
    ...contracts,
    'who is there': roles.flatMap((role) => counted(nodes[role], role)).join(', ') || 'nobody',
    'sessions so far': `${sessions.length}, ${open} of them open`,
    'idle rounds': roundsLine(rounds),
    reputation: checkpointLine(checkpoint),
    deposited: cor(money.depositedWei),
    '= balances': `${cor(money.balanceWei)}, stakes included`,
    '+ escrowed': cor(money.escrowedWei),
    '+ paid': `${cor(money.paidWei)}, of which ${cor(money.unclaimedWei)} are unclaimed`,
    '+ refunded': cor(money.refundedWei),
    '+ slashed': cor(money.slashedWei),
    held: `${cor(money.heldWei)} by the contracts`,
  });
  if (!isConserved) process.exitCode = exitCodes.failed;
}

/** `2 routers`; nothing where there is none. */
function counted(count: number | undefined, role: string): string[] {
  return count === undefined ? [] : [`${count} ${role}${count === 1 ? '' : 's'}`];
}

/** Idle rounds for programs: the newest, who is in the pools, and what this epoch has credited so far. */
function roundsShown({ newest, pools, epoch, credits }: RoundsState): object {
  const { round, state } = newest ?? {};
  return { newest: newest === undefined ? null : { round, state }, pools, epoch, credits };
}

function roundsLine({ newest, pools, epoch, credits }: RoundsState): string {
  const there = poolRoles.flatMap((role) => counted(pools[role] || undefined, role)).join(' and ');
  const last = newest === undefined ? 'none so far' : `${newest.round} is ${newest.state}`;
  return `${last}, ${there || 'nobody'} in the pools, ${credits} credits in epoch ${epoch}`;
}

/** The newest checkpoint of reputation for programs. */
function checkpointShown(posted: PostedCheckpoint | undefined): object | null {
  if (posted === undefined) return null;
  const { checkpoint, state, dueAt, disputer = null } = posted;
  const { epoch, revision, root } = checkpoint;
  return { epoch, revision, root, state, dueAt, disputer };
}

function checkpointLine(posted: PostedCheckpoint | undefined): string {
  if (posted === undefined) return 'no checkpoint so far';
  const { checkpoint, state, dueAt, disputer } = posted;
  const time = `${momentText(dueAt)} UTC`;
  const said = {
    open: `may be disputed until ${time}`,
    disputed: `is disputed by ${disputer}, to be ruled on until ${time}`,
    final: `counts since ${time}${disputer === undefined ? '' : `, disputed in vain by ${disputer}`}`,
  };
  return `the checkpoint of epoch ${checkpoint.epoch} ${said[state]}`;
}

/** Both equations of the totals: where the deposits went, and what the contracts hold in tokens. */
function conserved(money: MoneyTotals): boolean {
  const { depositedWei, balanceWei, escrowedWei, paidWei, refundedWei, slashedWei, heldWei, unclaimedWei } = money;
  const isAccounted = addWei(balanceWei, escrowedWei, paidWei, refundedWei, slashedWei) === depositedWei;
  // What was slashed and is still there is among what is unclaimed.
  return isAccounted && addWei(balanceWei, escrowedWei, unclaimedWei) === heldWei;
}

async function countNodes(ledger: Ledger): Promise<Partial<Record<string, number>>> {
  const counts: Partial<Record<string, number>> = {};
  for (const role of (await ledger.nodes()).flatMap((node) => node.roles)) counts[role] = (counts[role] ?? 0) + 1;
  return counts;
}

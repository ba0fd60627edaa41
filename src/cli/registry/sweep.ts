import type { Address } from '../../core/ids.ts';
import { type Wei, zeroWei } from '../../core/wei.ts';
import { accountOf } from '../wallet/account.ts';
import { findPlace } from '../wallet/place.ts';
import { cor, report, transactionFacts, transactionJson } from '../wallet/report.ts';
import { type Sent, type Wallet, withWallet } from '../wallet/wallet.ts';
import type { NodeOptions } from './stake.ts';

/** What the treasury was sent. */
export interface Swept {
  readonly treasury: Address;
  readonly amountWei: Wei;
  readonly sent: Sent;
}

/** `pouw chain sweep-slashed`: sends the treasury its part of what was slashed; any account may pay for that. */
export async function sweepSlashed(options: NodeOptions): Promise<void> {
  const place = await findPlace(options);
  await withWallet(place, accountOf(options, 'deployer'), async (wallet) => {
    const swept = await sweep(wallet);
    if (swept === undefined) {
      const { treasury } = await wallet.ledger.slashedForTreasury();
      const value = { treasury, amountWei: zeroWei, before: true };
      return report(options.json, value, 'The treasury has no part of what was slashed.', { treasury });
    }
    const { treasury, amountWei, sent } = swept;
    const value = { treasury, amountWei, ...transactionJson(sent) };
    const sentence = `${cor(amountWei)} were sent to the treasury.`;
    await report(options.json, value, sentence, { treasury, ...transactionFacts(sent) });
  });
}

/**
 * Sends the treasury its part; undefined where it has none. Each time is one of its own, numbered by those before: a
 * command that was killed goes on with the one it had begun.
 */
export async function sweep(wallet: Wallet): Promise<Swept | undefined> {
  const { treasury, owedWei: amountWei, sweeps } = await wallet.ledger.slashedForTreasury();
  if (amountWei === zeroWei) return undefined;
  wallet.step(0, 1, 'slashed stake');
  const sent = await wallet.send({ call: 'sweepSlashed' }, wallet.effect('sweep-slashed', String(sweeps)));
  return { treasury, amountWei, sent };
}

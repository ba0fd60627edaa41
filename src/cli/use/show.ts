import { openLedger } from '../../adapters/chain/ledger.ts';
import type { Address } from '../../core/ids.ts';
import { pooledSessions } from '../session/pool.ts';
import { accountOf, type AccountOptions } from '../wallet/account.ts';
import { findPlace, type PlaceOptions } from '../wallet/place.ts';
import { cor, report } from '../wallet/report.ts';
import { stakeFacts } from './stake.ts';

/** Whose stake `pouw stake-to-use show` shows. */
export interface ShowUseOptions extends PlaceOptions, AccountOptions {
  readonly account?: Address;
  readonly json?: boolean;
}

/** Shows a stake for use, and the pool. */
export async function showUse(options: ShowUseOptions): Promise<void> {
  const { rpcUrl, record } = await findPlace(options);
  const account = options.account ?? accountOf(options, 'client').address;
  const ledger = await openLedger({ rpcUrl, ...record });
  const [stake, pool] = [await ledger.useStake(account), await ledger.usePool()];
  const sessions = (await pooledSessions(ledger, account)).map(({ session }) => session);
  const { amountWei: stakeWei, usableWei, unlocksAt } = stake;
  const value = { account, stakeWei, usableWei, unlocksAt: unlocksAt ?? null, sessions, ...pool };
  await report(options.json, value, stakeWei === '0' ? 'It has staked nothing for its use.' : 'It has a stake.', {
    account,
    ...stakeFacts(stake),
    sessions: sessions.length === 0 ? undefined : sessions.join(' '),
    pool: cor(pool.poolWei),
    'all stakes': cor(pool.stakedWei),
  });
}

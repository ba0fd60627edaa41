import { openLedger } from '../adapters/chain/ledger.ts';
import type { Market } from '../adapters/chain/market.ts';
import type { SessionTerms } from '../core/chain-fact.ts';
import type { SessionId } from '../core/ids.ts';
import { demandPpmOne } from '../core/price.ts';
import { type PriceShare, priceWei, shareBps, splitPrice } from '../core/price-split.ts';
import { lessWei, wei } from '../core/wei.ts';
import { defaultTerms } from './compose/settings.ts';
import { requireSession } from './session/require-session.ts';
import { findPlace, type PlaceOptions } from './wallet/place.ts';
import { cor, report } from './wallet/report.ts';

/** What `pouw price` was asked for. */
export interface PriceOptions extends PlaceOptions {
  readonly model: string;
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly json?: boolean;
}

/** Says what a task costs, and who gets it. */
export async function showPrice(session: SessionId | undefined, options: PriceOptions): Promise<void> {
  const { promptTokens, outputTokens, json } = options;
  const { terms, market, isOnChain } = await found(session, options);
  const { model, promptTokenWei, outputTokenWei, maxTaskPriceWei, redundancy, validators } = terms;
  // A session at level 0 has nobody who counts tokens: what is set aside is the price.
  const isCounted = terms.level > 0;
  const bill = { promptTokens, outputTokens, promptTokenWei, outputTokenWei, escrowWei: maxTaskPriceWei };
  const price = priceWei(bill, market.demandPpm);
  const isCut = lessWei(price, priceWei({ ...bill, escrowWei: mostWei }, market.demandPpm));
  const takers = { miners: redundancy, validators: isCounted ? validators : 0, oracle: false };
  const shares = splitPrice(price, takers, market.shareBps);
  const from = isOnChain ? 'chain' : 'defaults';
  const value = {
    session: session ?? null,
    from,
    ...market,
    ...bill,
    model,
    level: terms.level,
    priceWei: price,
    shares,
  };
  const sentence = `A task of ${promptTokens} + ${outputTokens} tokens costs ${cor(price)}${isCut ? ', the most it may cost' : ''}.`;
  await report(json, value, sentence, {
    session,
    model,
    'prompt token': cor(promptTokenWei),
    'output token': cor(outputTokenWei),
    demand: isOnChain ? `${market.demandPpm / demandPpmOne} times these prices` : 'none: no chain was named',
    'a task': `at most ${cor(maxTaskPriceWei)}`,
    'level 0': isCounted ? undefined : 'nobody counts its tokens: whatever is set aside for a task is its price',
    ...Object.fromEntries(shares.map((share) => [share.role, shareText(share)])),
  });
}

/** More than any price: what nothing is cut to. */
const mostWei = wei(2n ** 120n);

interface Found {
  readonly terms: SessionTerms;
  readonly market: Market;
  readonly isOnChain: boolean;
}

/** Terms and rates: of the chain where one is named or a session is asked for, else those that a deployment starts with. */
async function found(session: SessionId | undefined, options: PriceOptions): Promise<Found> {
  const { model, rpc, deployment, data } = options;
  const isNamed = [rpc, deployment, data].some((one) => one !== undefined) || Boolean(process.env['POUW_RPC']);
  if (session === undefined && !isNamed)
    return { terms: defaultTerms(model, []), market: { shareBps, demandPpm: demandPpmOne }, isOnChain: false };
  const { rpcUrl, record } = await findPlace(options);
  const ledger = await openLedger({ rpcUrl, ...record });
  const terms =
    session === undefined ? defaultTerms(model, []) : (await requireSession(ledger, session, undefined)).terms;
  return { terms, market: await ledger.market(terms.model), isOnChain: true };
}

function shareText({ count, eachWei }: PriceShare): string {
  return count === 1 ? cor(eachWei) : `${count} × ${cor(eachWei)}`;
}

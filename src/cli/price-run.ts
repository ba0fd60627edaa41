import { openLedger } from '../adapters/chain/ledger.ts';
import type { SessionTerms } from '../core/chain-fact.ts';
import type { SessionId } from '../core/ids.ts';
import { type PriceShare, priceWei, splitPrice } from '../core/price-split.ts';
import { addWei, lessWei, timesWei } from '../core/wei.ts';
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
  const terms = await termsOf(session, options);
  const { model, promptTokenWei, outputTokenWei, maxTaskPriceWei, redundancy, validators } = terms;
  // A session at level 0 has nobody who counts tokens: what is set aside is the price.
  const isCounted = terms.level > 0;
  const bill = { promptTokens, outputTokens, promptTokenWei, outputTokenWei, escrowWei: maxTaskPriceWei };
  const price = priceWei(bill);
  const full = addWei(timesWei(promptTokenWei, promptTokens), timesWei(outputTokenWei, outputTokens));
  const isCut = lessWei(price, full);
  const shares = splitPrice(price, { miners: redundancy, validators: isCounted ? validators : 0, oracle: false });
  const value = { session: session ?? null, ...bill, model, level: terms.level, priceWei: price, shares };
  const sentence = `A task of ${promptTokens} + ${outputTokens} tokens costs ${cor(price)}${isCut ? ', the most it may cost' : ''}.`;
  await report(json, value, sentence, {
    session,
    model,
    'prompt token': cor(promptTokenWei),
    'output token': cor(outputTokenWei),
    'a task': `at most ${cor(maxTaskPriceWei)}`,
    'level 0': isCounted ? undefined : 'nobody counts its tokens: whatever is set aside for a task is its price',
    ...Object.fromEntries(shares.map((share) => [share.role, shareText(share)])),
  });
}

async function termsOf(session: SessionId | undefined, options: PriceOptions): Promise<SessionTerms> {
  if (session === undefined) return defaultTerms(options.model, []);
  const { rpcUrl, record } = await findPlace(options);
  return (await requireSession(await openLedger({ rpcUrl, ...record }), session, undefined)).terms;
}

function shareText({ count, eachWei }: PriceShare): string {
  return count === 1 ? cor(eachWei) : `${count} × ${cor(eachWei)}`;
}

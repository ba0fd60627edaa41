import { PouwError } from '../../core/errors.ts';
import type { Address } from '../../core/ids.ts';
import { accountOf } from '../wallet/account.ts';
import { findPlace } from '../wallet/place.ts';
import { report } from '../wallet/report.ts';
import { requestOf, type Sent, type Wallet, withWallet } from '../wallet/wallet.ts';
import type { NodeOptions } from './stake.ts';

/** What `pouw chain count-miners` was asked for. */
export interface CountOptions extends NodeOptions {
  readonly model: string;
}

/**
 * `pouw chain count-miners`: has the contract count each miner that serves a model, and strike those that do no longer.
 * The use of a model is measured against them, and its prices follow.
 *
 * @throws PouwError `model_unpriced` where no session was ever opened for the model.
 */
export async function countMiners({ model, ...options }: CountOptions): Promise<void> {
  const place = await findPlace(options);
  await withWallet(place, accountOf(options, 'deployer'), async (wallet) => {
    const { isKnown, counted, missing, stale } = await wallet.ledger.capacity(model);
    if (!isKnown) throw unpriced(model);
    const total = missing.length + stale.length;
    const sent: Sent[] = [];
    const send = async (call: 'countMiner' | 'strikeMiner', miner: Address): Promise<void> => {
      wallet.step(sent.length, total, 'miners');
      sent.push(await change(wallet, call, model, miner));
    };
    for (const miner of missing) await send('countMiner', miner);
    for (const miner of stale) await send('strikeMiner', miner);
    const now = [...counted.filter((miner) => !stale.includes(miner)), ...missing].toSorted();
    const { demandPpm } = await wallet.ledger.market(model);
    const transactions = sent.map(({ receipt: { txHash, block } }) => ({ txHash, block }));
    const value = { model, miners: now, counted: missing, struck: stale, demandPpm, transactions, before: total === 0 };
    const sentence = total === 0 ? 'All that serve it count already, and nobody else.' : 'They count from now on.';
    await report(options.json, value, sentence, {
      model,
      counted: missing.length === 0 ? undefined : missing.join(', '),
      struck: stale.length === 0 ? undefined : stale.join(', '),
      miners: String(now.length),
      'prices times': String(demandPpm / 1_000_000),
    });
  });
}

/** A miner may come and go many times: each time is one of its own. */
async function change(
  wallet: Wallet,
  call: 'countMiner' | 'strikeMiner',
  model: string,
  miner: Address,
): Promise<Sent> {
  const { number } = await wallet.ledger.block();
  return wallet.send(
    { call, model, miner },
    wallet.effect(`chain.${call}`, requestOf(undefined, model, miner, number)),
  );
}

function unpriced(model: string): PouwError {
  return new PouwError('model_unpriced', `No session was ever opened for ${model}.`, {
    class: 'not-found',
    why: 'A model has a price of its own from its first session on.',
    hint: 'Name the model of a session with --model, or open one (pouw session create).',
    param: 'model',
  });
}
